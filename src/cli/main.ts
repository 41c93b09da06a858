// `guildhall`: the command line. Each command is a file; it is loaded when it is called.
import { readFileSync } from 'node:fs'
import { Command, CommanderError, Option } from 'commander'
import type { NewUserOptions } from './create-user.ts'
import { report, t, WRONG_USAGE } from './terminal.ts'

function commands(): Command {
  const program = new Command('guildhall')
    .description(t('cli.about'))
    .version(version(), '-v, --version', t('cli.version'))
    .helpOption('-h, --help', t('cli.help'))
    .helpCommand('help [command]', t('cli.help'))
    .addHelpText('after', `\n${t('cli.help_after')}`)
    .showHelpAfterError(t('cli.see_help'))
    .exitOverride()

  program
    .command('serve')
    .description(t('cli.serve'))
    .action(async () => (await import('./serve.ts')).serveSite())

  program
    .command('migrate')
    .description(t('cli.migrate'))
    .action(async () => (await import('./migrate.ts')).migrate())

  const user = program.command('user').description(t('cli.user'))
  user
    .command('create')
    .description(t('cli.user_create'))
    .argument('<username>', t('cli.argument.username'))
    .option('--display-name <name>', t('cli.option.display_name'))
    .option('--role <role>', t('cli.option.role'), (role: string, roles: readonly string[]) => [...roles, role], [])
    .option('--password-stdin', t('cli.option.password_stdin'))
    // Arguments stand in the process list and in the shell's history, for everybody to read.
    .addOption(new Option('--password [password]').hideHelp().argParser(() => program.error(t('cli.password_argument'))))
    // Commander would repeat them.
    .allowExcessArguments()
    .action(async (username: string, options: NewUserOptions, { args }: Command) => {
      if (args.length > 1) return program.error(t('cli.password_argument'))
      return (await import('./create-user.ts')).createUser(username, options)
    })
  user
    .command('list')
    .description(t('cli.user_list'))
    .option('--json', t('cli.option.json'))
    .action(async ({ json }: { readonly json?: boolean }) => (await import('./list-users.ts')).listUsers({ json: json === true }))

  program
    .command('doctor')
    .description(t('cli.doctor'))
    .action(async () => (await import('./doctor.ts')).examine())

  return program
}

async function run(): Promise<void> {
  try {
    await commands().parseAsync()
  } catch (error) {
    // Commander has printed what it had to say.
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : WRONG_USAGE
    else await report(error)
  }
}

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  const known = typeof manifest === 'object' && manifest !== null && 'version' in manifest
  return known ? String(manifest.version) : ''
}

void run()
