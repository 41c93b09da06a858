// A feature is one value; its name is the folder, the option, the page in docs and the test file.
import type { Catalogue, FeatureTexts } from '../i18n/translate.ts'
import type { LocalPath } from '../settings/options.ts'
import type { Action } from './action-types.ts'
import type { NamedMenuEntry, PageParts } from './http-context.ts'

export interface Feature<Name extends string, Path extends string, En extends Catalogue> {
  readonly name: Name
  /** By name: `url('login.page')`. An option moves each, and what lies below it moves along. */
  readonly paths: { readonly [P in Path]: LocalPath }
  /** Known to pages as `<feature>.<key>`; notices and activity, which are told on pages of others, by their keys alone. */
  readonly texts: FeatureTexts<En>
  readonly actions: readonly Action[]
  /** What it writes into the audit trail. Each has a text `activity.<name>`, which the security page shows. */
  readonly audit?: readonly { readonly name: ActivityOf<En> }[]
  /** What it puts on pages of others. */
  readonly on?: PartsOnPages<NoInfer<Path>, NoInfer<keyof En & string>>
}

interface PartsOnPages<Path extends string, Text extends string> extends Partial<Omit<PageParts, 'menu'>> {
  readonly menu?: readonly MenuEntry<Path, Text>[]
}

/** A feature, its types forgotten. */
export type AnyFeature = Omit<Feature<string, string, Catalogue>, 'audit'>

interface MenuEntry<Path extends string, Text extends string> extends Pick<NamedMenuEntry, 'who' | 'when'> {
  readonly at: Path
  readonly text: Text
  /** `button`: acts when it is pressed. Default: a link. */
  readonly as?: 'link' | 'button'
}

type ActivityOf<En> = { [Key in keyof En]: Key extends `activity.${infer Event}` ? Event : never }[keyof En]

/** Declares a feature: an annotation `: Feature` would lose its names. Annotate its actions (`: Action`): they ask for paths that are read off all features. */
export function feature<const Name extends string, const Path extends string, const En extends Catalogue>(
  value: Feature<Name, Path, En>,
): Feature<Name, Path, En> {
  return value
}
