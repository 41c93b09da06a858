// Commander in the operator's language: its help and its refusals in the words of the catalogue. The only file that knows Commander's own.
import { stripVTControlCharacters } from 'node:util'
import { type Argument, Command, type ErrorOptions, Help, type Option } from 'commander'
import { isText } from '../i18n/translate.ts'
import { widthOf } from './columns.ts'
import { t } from './terminal.ts'

export class SpokenCommand extends Command {
  override createCommand(name?: string): Command {
    return new SpokenCommand(name)
  }

  override createHelp(): Help {
    return new SpokenHelp()
  }

  /** Every refusal passes here, Commander's with a code of its own. */
  override error(message: string, options?: ErrorOptions): never {
    const code = options?.code ?? ''
    return super.error(code.startsWith('commander.') ? refusal(code, message, pathOf(this)) : message, options)
  }
}

/** `guildhall backup "$FILE"`, where FILE is not set. */
export function refuseEmpty(_program: Command, command: Command): void {
  const argument = command.registeredArguments[command.args.indexOf('')]
  if (argument) command.error(t('cli.wrong.missing_argument', { name: nameOf(argument.name()), command: pathOf(command) }))
}

const TITLES: Readonly<Record<string, string>> = {
  'Usage:': t('cli.title.usage'),
  'Arguments:': t('cli.title.arguments'),
  'Options:': t('cli.title.options'),
  'Commands:': t('cli.title.commands'),
}

class SpokenHelp extends Help {
  override displayWidth(text: string): number {
    return widthOf(stripVTControlCharacters(text))
  }

  override styleTitle(title: string): string {
    return TITLES[title] ?? title
  }

  override commandUsage(command: Command): string {
    return withNames(super.commandUsage(command))
  }

  override subcommandTerm(command: Command): string {
    return withNames(super.subcommandTerm(command))
  }

  override optionTerm(option: Option): string {
    return withNames(super.optionTerm(option))
  }

  override argumentTerm(argument: Argument): string {
    return nameOf(super.argumentTerm(argument))
  }
}

/** `<file>` and `[options]` in the operator's language; commands and flags stay what is typed. */
function withNames(term: string): string {
  return term.replace(/(?<=[<[])[a-z-]+(?=[\]>])/g, nameOf)
}

function nameOf(name: string): string {
  const key = `cli.value.${name.replaceAll('-', '_')}`
  return isText(key) ? t(key) : name
}

/** What is wrong and what was probably meant; names are taken out of Commander's own sentence, where they stand between quotes. */
function refusal(code: string, message: string, command: string): string {
  const [, name] = /'(.+?)'/.exec(message) ?? []
  const [, names] = /\(Did you mean (?:one of )?(.+)\?\)$/.exec(message) ?? []
  const wrong = name === undefined ? t('cli.wrong.usage') : whatIsWrong(code, name, command)
  return names === undefined ? wrong : `${wrong}\n${t('cli.wrong.did_you_mean', { names })}`
}

function whatIsWrong(code: string, name: string, command: string): string {
  switch (code) {
    case 'commander.unknownCommand':
      return t('cli.wrong.unknown_command', { name })
    case 'commander.unknownOption':
      // Without its value: somebody may have meant a password.
      return t('cli.wrong.unknown_option', { name: name.replace(/=.*/s, ''), command })
    case 'commander.missingArgument':
      return t('cli.wrong.missing_argument', { name: nameOf(name), command })
    case 'commander.optionMissingArgument':
      return t('cli.wrong.missing_value', { name: withNames(name) })
    case 'commander.missingMandatoryOptionValue':
      return t('cli.wrong.missing_option', { name: withNames(name), command })
    case 'commander.excessArguments':
      return t('cli.wrong.excess_arguments', { command })
    default:
      return t('cli.wrong.usage')
  }
}

/** `guildhall user create` */
function pathOf(command: Command): string {
  return command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name()
}
