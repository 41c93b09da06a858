// Commander, but its errors never repeat a value, which may be a password.
import { Command, type ErrorOptions } from 'commander'

export class PlainCommand extends Command {
  override createCommand(name?: string): Command {
    return new PlainCommand(name)
  }

  override error(message: string, options?: ErrorOptions): never {
    const isCommanders = options?.code?.startsWith('commander.') === true
    return super.error(isCommanders ? message.replace(/=[^']*'/s, "'").replace(/ Expected .*/s, '') : message, options)
  }
}

/** An empty argument is a missing one: `guildhall backup "$FILE"` without FILE. */
export function refuseEmpty(_program: Command, command: Command): void {
  const argument = command.registeredArguments[command.args.indexOf('')]
  if (argument) command.error(`error: missing required argument '${argument.name()}'`)
}
