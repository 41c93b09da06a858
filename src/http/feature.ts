// A feature is one value with one name: the folder, the option, the page in docs, the prefix of its texts, the test file.
import type { Catalogue, TextsOf } from '../i18n/translate.ts'
import type { LocalPath, Settings } from '../settings/options.ts'
import type { Action } from './action-types.ts'
import type { HeaderPart, Part } from './http-context.ts'

export interface Feature<Name extends string, Path extends string, En extends Catalogue> {
  readonly name: Name
  /** By name: `url('login.page')`. An option moves each, and what lies below it moves along. */
  readonly paths: { readonly [P in Path]: LocalPath }
  /** Known to pages as `<feature>.<key>`; notices and activity, which are told on pages of others, by their keys alone. */
  readonly texts: TextsOf<En>
  readonly actions: readonly Action[]
  /** What it writes into the audit trail. Each has a text `activity.<name>`, which the security page shows. */
  readonly audit?: readonly { readonly name: ActivityOf<En> }[]
  /** What it puts on pages of others. */
  readonly on?: PartsOnPages<NoInfer<Path>, NoInfer<keyof En & string>>
}

interface PartsOnPages<Path extends string, Text extends string> {
  readonly menu?: readonly MenuEntry<Path, Text>[]
  readonly header?: readonly HeaderPart[]
  readonly login?: readonly Part[]
  readonly security?: readonly Part[]
}

/** A feature, its types forgotten. */
export type AnyFeature = Omit<Feature<string, string, Catalogue>, 'audit'>

interface MenuEntry<Path extends string, Text extends string> {
  readonly at: Path
  readonly text: Text
  readonly who: 'guest' | 'member'
  /** `button`: acts when it is pressed. Default: a link. */
  readonly as?: 'link' | 'button'
  /** Whether the menu shows it. Default: always. */
  readonly when?: (settings: Settings) => boolean
}

type ActivityOf<En> = { [Key in keyof En]: Key extends `activity.${infer Event}` ? Event : never }[keyof En]

/**
 * Declares a feature. The plain annotation `: Feature` would lose what the types hold: its name, the names of its paths, the keys of its
 * texts. Annotate the constants that it is made of (`const change: Action = ...`): they ask for paths that are read off all features.
 */
export function feature<const Name extends string, const Path extends string, const En extends Catalogue>(
  value: Feature<Name, Path, En>,
): Feature<Name, Path, En> {
  return value
}
