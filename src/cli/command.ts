// Commander, but that a refusal never repeats a value: somebody may have typed a password there.
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

/** `guildhall backup "$FILE"`, where FILE is not set. */
export function refuseEmpty(_program: Command, command: Command): void {
  const argument = command.registeredArguments[command.args.indexOf('')]
  if (argument) command.error(`error: missing required argument '${argument.name()}'`)
}
