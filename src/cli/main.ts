// `guildhall`: the command line. Each command is a file; it is loaded when it is called.
import { type Command, CommanderError, Option } from 'commander'
import { SETTABLE_STATUSES } from '../domain/user.ts'
import { version } from '../server/version.ts'
import { refuseEmpty, SpokenCommand } from './command.ts'
import type { CopyOptions } from './copy.ts'
import type { NewUserOptions } from './create-user.ts'
import type { InitOptions } from './init.ts'
import type { ServeOptions } from './serve.ts'
import type { EndOptions } from './sessions.ts'
import { complain, FAILURE, report, t, WRONG_USAGE } from './terminal.ts'

interface Json {
  readonly json?: boolean
}

function asked({ json }: Json): { readonly json: boolean } {
  return { json: json === true }
}

function commands(): Command {
  const program = new SpokenCommand('guildhall')
    .description(t('cli.about'))
    .version(version(), '-v, --version', t('cli.version'))
    .helpOption('-h, --help', t('cli.help'))
    .helpCommand('help [command]', t('cli.help'))
    .addHelpText('after', `\n${t('cli.help_after')}`)
    .showHelpAfterError(t('cli.see_help'))
    .exitOverride()
    .hook('preAction', refuseEmpty)

  program
    .command('serve')
    .description(t('cli.serve'))
    .option('--workers <number>', t('cli.option.workers'))
    .action(async (options: ServeOptions) => (await import('./serve.ts')).serveSite(options))

  program
    .command('migrate')
    .description(t('cli.migrate'))
    .option('--json', t('cli.option.json'))
    .action(async (options: Json) => (await import('./migrate.ts')).migrate(asked(options)))

  const user = program.command('user').description(t('cli.user'))
  user
    .command('create')
    .description(t('cli.user_create'))
    .argument('<username>', t('cli.argument.username'))
    .option('--display-name <name>', t('cli.option.display_name'))
    .option('--role <role>', t('cli.option.role'), (role: string, roles: readonly string[] | undefined) => [
      ...(roles ?? []),
      role,
    ])
    .option('--password-stdin', t('cli.option.password_stdin'))
    .option('--json', t('cli.option.json'))
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
    .action(async (options: Json) => (await import('./list-users.ts')).listUsers(asked(options)))
  user
    .command('show')
    .description(t('cli.user_show'))
    .argument('<username>')
    .option('--json', t('cli.option.json'))
    .action(async (username: string, options: Json) => (await import('./accounts.ts')).showUser(username, asked(options)))
  user
    .command('set-status')
    .description(t('cli.user_set_status'))
    .argument('<username>')
    .argument('<status>', SETTABLE_STATUSES.join(', '))
    .option('--json', t('cli.option.json'))
    .action(async (username: string, status: string, options: Json) =>
      (await import('./accounts.ts')).setUserStatus(username, status, asked(options)),
    )
  user
    .command('rename')
    .description(t('cli.user_rename'))
    .argument('<username>')
    .argument('<new-username>', t('cli.argument.username'))
    .option('--json', t('cli.option.json'))
    .action(async (username: string, to: string, options: Json) =>
      (await import('./accounts.ts')).renameUser(username, to, asked(options)),
    )

  const sessions = program.command('sessions').description(t('cli.sessions'))
  sessions
    .command('list')
    .description(t('cli.sessions_list'))
    .argument('<username>')
    .option('--json', t('cli.option.json'))
    .action(async (username: string, options: Json) => (await import('./sessions.ts')).listSessions(username, asked(options)))
  sessions
    .command('end')
    .description(t('cli.sessions_end'))
    .argument('<username>')
    .argument('[id]', t('cli.argument.session'))
    .option('--all', t('cli.option.all'))
    .option('--json', t('cli.option.json'))
    .action(async (username: string, id: string | undefined, options: EndOptions) =>
      (await import('./sessions.ts')).endSessions(username, id, options),
    )

  program
    .command('backup')
    .description(t('cli.backup'))
    .argument('<file>', t('cli.argument.new_file'))
    .option('--json', t('cli.option.json'))
    .action(async (file: string, options: Json) => (await import('./backup.ts')).makeBackup(file, asked(options)))
  program
    .command('restore')
    .description(t('cli.restore'))
    .argument('<file>', t('cli.argument.backup'))
    .option('--yes', t('cli.option.yes'))
    .option('--json', t('cli.option.json'))
    .action(async (file: string, { yes, ...options }: Json & { readonly yes?: boolean }) =>
      (await import('./backup.ts')).restoreBackup(file, { yes: yes === true, ...asked(options) }),
    )
  program
    .command('copy')
    .description(t('cli.copy'))
    .requiredOption('--from <database>', t('cli.option.from'))
    .requiredOption('--to <database>', t('cli.option.to'))
    .option('--redis [url]', t('cli.option.redis'))
    .option('--redis-prefix <prefix>', t('cli.option.redis_prefix'))
    .option('--json', t('cli.option.json'))
    .action(async (options: CopyOptions) => (await import('./copy.ts')).copy(options))

  program
    .command('init')
    .description(t('cli.init'))
    .option('--base-url <url>', t('cli.init.baseUrl.question'))
    .option('--site-name <name>', t('cli.init.siteName.question'))
    .option('--database <database>', t('cli.init.database.question'))
    .option('--registration <who>', t('cli.init.registration.question'))
    .option('--trust-proxy <hops>', t('cli.init.trustProxy.question'))
    .option('--yes', t('cli.option.defaults'))
    .option('--json', t('cli.option.json'))
    .action(async (options: InitOptions) => (await import('./init.ts')).init(options))

  program
    .command('doctor')
    .description(t('cli.doctor'))
    .option('--json', t('cli.option.json'))
    .action(async (options: Json) => (await import('./doctor.ts')).examine(asked(options)))

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

// Whoever reads may have had enough, as `head` has: the work is done all the same, and its exit code counts.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') return
  process.exitCode = FAILURE
  complain(t('cli.output_lost', { message: error.message }))
})

void run()
