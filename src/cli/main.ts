// `guildhall`: the command line. The file of a command is loaded when it is called.
import { type Command, CommanderError, Option } from 'commander'
import { SETTABLE_STATUSES } from '../domain/user.ts'
import { version } from '../domain/version.ts'
import { SERVER_SETTINGS } from '../server/table.ts'
import { SETTINGS } from '../settings/table.ts'
import type { AfterRestoreOptions } from './after-restore.ts'
import type { AuditOptions } from './audit.ts'
import type { RestoreOptions } from './backup.ts'
import { PlainCommand, refuseEmpty } from './command.ts'
import type { CopyCommandOptions } from './copy.ts'
import type { InitOptions } from './init.ts'
import type { ServeOptions } from './serve.ts'
import type { EndOptions } from './sessions.ts'
import { FAILURE, type Json, printError, report, WRONG_USAGE } from './terminal.ts'
import type { NewUserOptions } from './user.ts'

const HELP_AFTER = `
Settings come from the environment and from .env; init writes the first of them.
Exit codes: 0 done, 1 it did not work, 2 wrong usage.`

const NO_PASSWORD =
  'A password is never given as an argument, where others could read it. Leave it out to be asked, or pipe it in with --password-stdin.'
const USERNAME = '3 to 32 letters and digits; dots, dashes and underscores between them'

function commands(): Command {
  const program = new PlainCommand('guildhall')
    .description('A members’ site: people register, log in, see their profile and log out.')
    .version(version(), '-v, --version', 'print the version')
    .helpOption('-h, --help', 'explain a command')
    .helpCommand('help [command]', 'explain a command')
    .addHelpText('after', HELP_AFTER)
    .showHelpAfterError('Add --help to see how it is used.')
    .exitOverride()
    .hook('preAction', refuseEmpty)

  program
    .command('serve')
    .description('open the site; brings the database up to date first')
    .option(
      '--workers <number>',
      'processes that share the port, or auto for one per processor; SIGHUP renews them one after the other',
    )
    .action(async (options: ServeOptions) => (await import('./serve.ts')).serveSite(options))

  program
    .command('migrate')
    .description('bring the database up to date, and make it where it is missing')
    .option('--json', 'as JSON')
    .action(async (options: Json) => (await import('./migrate.ts')).migrate(options))

  const user = program.command('user').description('accounts')
  user
    .command('create')
    .description('make an account; asks for its password')
    .argument('<username>', USERNAME)
    .option('--display-name <name>', 'how to greet the person')
    .option('--email <address>', 'the mail address; a mail asks for its proof')
    .option('--email-verified', 'you know that the address is theirs: no proof is asked for')
    .option(
      '--role <role>',
      'a role the account gets; may be given several times',
      (role: string, roles: readonly string[] | undefined) => [...(roles ?? []), role],
    )
    .option('--password-stdin', 'read the password from the standard input')
    .option('--json', 'as JSON')
    // Arguments can be read in the process list and in the shell's history.
    .addOption(new Option('--password [password]').hideHelp().argParser(() => program.error(NO_PASSWORD)))
    // Commander's error would repeat them.
    .allowExcessArguments()
    .action(async (username: string, options: NewUserOptions, { args }: Command) => {
      if (args.length > 1) return program.error(NO_PASSWORD)
      return (await import('./user.ts')).createUser(username, options)
    })
  user
    .command('list')
    .description('show who has an account')
    .option('--json', 'as JSON')
    .action(async (options: Json) => (await import('./user.ts')).listUsers(options))
  user
    .command('show')
    .description('show one account')
    .argument('<username>', 'its username, or its id as in the log')
    .option('--json', 'as JSON')
    .action(async (username: string, options: Json) => (await import('./user.ts')).showUser(username, options))
  user
    .command('set-status')
    .description('close an account (suspended) or open it again (active); closing ends its sessions')
    .argument('<username>')
    .argument('<status>', SETTABLE_STATUSES.join(', '))
    .option('--json', 'as JSON')
    .action(async (username: string, status: string, options: Json) =>
      (await import('./user.ts')).setUserStatus(username, status, options),
    )
  user
    .command('unlock')
    .description('let somebody log in at once whose account wrong passwords have locked')
    .argument('<username>')
    .option('--json', 'as JSON')
    .action(async (username: string, options: Json) => (await import('./user.ts')).unlockUser(username, options))
  user
    .command('send-reset')
    .description('mail somebody a link to set a new password')
    .argument('<username>')
    .option('--json', 'as JSON')
    .action(async (username: string, options: Json) => (await import('./user.ts')).sendResetTo(username, options))
  user
    .command('set-display-name')
    .description('change what an account is called on its pages')
    .argument('<username>')
    .argument('[display-name]', 'left out: the username')
    .option('--json', 'as JSON')
    .action(async (username: string, displayName: string | undefined, options: Json) =>
      (await import('./user.ts')).setDisplayName(username, displayName, options),
    )
  user
    .command('rename')
    .description('give an account another username')
    .argument('<username>')
    .argument('<new-username>', USERNAME)
    .option('--json', 'as JSON')
    .action(async (username: string, to: string, options: Json) => (await import('./user.ts')).renameUser(username, to, options))

  const sessions = program.command('sessions').description('where accounts are logged in')
  sessions
    .command('list')
    .description('show where an account is logged in')
    .argument('<username>')
    .option('--json', 'as JSON')
    .action(async (username: string, options: Json) => (await import('./sessions.ts')).listSessions(username, options))
  sessions
    .command('end')
    .description('end one session of an account, or --all')
    .argument('<username>')
    .argument('[id]', 'the id that sessions list shows')
    .option('--all', 'all of them')
    .option('--json', 'as JSON')
    .action(async (username: string, id: string | undefined, options: EndOptions) =>
      (await import('./sessions.ts')).endSessions(username, id, options),
    )

  program
    .command('audit')
    .description('read the audit trail: who logged in, from where, and what was changed')
    .option('--since <time>', 'a duration like 24h or 7d, or a date; 24h where it is left out')
    .option('--user <user>', 'of one account, by its username or id')
    .option('--json', 'as JSON')
    .action(async (options: AuditOptions) => (await import('./audit.ts')).readAudit(options))

  const mail = program.command('mail').description('mails of the site')
  mail
    .command('test')
    .description('send a mail through the outbox, and say what the mail server answers')
    .argument('<address>', 'who gets it')
    .option('--json', 'as JSON')
    .action(async (address: string, options: Json) => (await import('./mail.ts')).sendTestMail(address, options))
  mail
    .command('list')
    .description('show the mails that wait, and those that could not be sent, with the reason')
    .option('--json', 'as JSON')
    .action(async (options: Json) => (await import('./mail.ts')).listMails(options))
  mail
    .command('retry')
    .description('try a mail again at once, or all of them')
    .argument('[id]', 'the id that mail list shows')
    .option('--json', 'as JSON')
    .action(async (id: string | undefined, options: Json) => (await import('./mail.ts')).retryMails(id, options))

  program
    .command('backup')
    .description('copy the database into a new file, while the site runs')
    .argument('<file>', 'where the copy goes; the file must not exist')
    .option('--json', 'as JSON')
    .action(async (file: string, options: Json) => (await import('./backup.ts')).makeBackup(file, options))
  program
    .command('restore')
    .description('put a copy back, keep what was there, and end every session')
    .argument('<file>', 'a file that backup has made')
    .option('--yes', 'do not ask')
    .option('--json', 'as JSON')
    .action(async (file: string, options: RestoreOptions) => (await import('./backup.ts')).restoreBackup(file, options))
  program
    .command('after-restore')
    .description('end every session, mailed link and waiting mail, after PostgreSQL or the file was put back by other means')
    .option('--yes', 'do not ask')
    .option('--json', 'as JSON')
    .action(async (options: AfterRestoreOptions) => (await import('./after-restore.ts')).endAll(options))
  program
    .command('copy')
    .description('copy a stopped site into another database, sessions included; run again, it goes on')
    .requiredOption('--from <database>', 'what is copied: sqlite:PATH or postgres://...')
    .requiredOption('--to <database>', 'where it goes: an empty database')
    .option('--redis [url]', 'put the sessions into Redis; without an address, into that of REDIS_URL')
    .option('--redis-prefix <prefix>', 'what the keys in Redis begin with')
    .option('--json', 'as JSON')
    .action(async (options: CopyCommandOptions) => (await import('./copy.ts')).copy(options))

  program
    .command('openapi')
    .description('print the description of the JSON API, OpenAPI 3.1, as the server serves it; needs no database')
    .option('--json', 'it is JSON anyway')
    .action(async () => (await import('./openapi.ts')).printDescription())

  program
    .command('init')
    .description('ask a few questions and write .env')
    .option('--base-url <url>', SETTINGS.baseUrl.question)
    .option('--site-name <name>', SETTINGS.siteName.question)
    .option('--database <database>', SETTINGS.database.question)
    .option('--registration <who>', SETTINGS.registration.question)
    .option('--trust-proxy <hops>', SERVER_SETTINGS.trustProxy.question)
    .option('--yes', 'ask nothing; what no flag says is the default')
    .option('--json', 'as JSON')
    .action(async (options: InitOptions) => (await import('./init.ts')).init(options))

  program
    .command('doctor')
    .description('look for settings that will make trouble, and say what to do')
    .option('--json', 'as JSON')
    .action(async (options: Json) => (await import('./doctor.ts')).examine(options))

  return program
}

async function run(): Promise<void> {
  try {
    await commands().parseAsync()
  } catch (error) {
    // Commander has already printed the error.
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : WRONG_USAGE
    else await report(error)
  }
}

// A reader such as `head` may close the pipe early: the work is done all the same, so the exit code stays.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') return
  process.exitCode = FAILURE
  printError(`The answer could not be written: ${error.message}`)
})

void run()
