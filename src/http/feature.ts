// A feature is one value. Its name is also that of folder, option, docs page and test file.
import type { MailKind, RequestKind } from '../core/mail-kind.ts'
import type { Catalogue, FeatureTexts } from '../i18n/translate.ts'
import type { LocalPath, Settings } from '../settings/options.ts'
import type { Action } from './action-types.ts'
import type { NamedMenuEntry, PageParts } from './http-context.ts'

export interface Feature<Name extends string, Path extends string, En extends Catalogue> {
  readonly name: Name
  /** Paths by name, `url('login.page')`. The option `features` can move each, and all below it. */
  readonly paths: { readonly [P in Path]: LocalPath }
  /** Pages use them as `<feature>.<key>`. Notices and activity appear on pages of other features, and have their keys alone. */
  readonly texts: FeatureTexts<En>
  readonly actions: readonly Action[]
  /** Whether it is there with these settings. Default: it is. */
  readonly needs?: (settings: Settings) => boolean
  /** The mails that it writes. */
  readonly mails?: readonly MailKind[]
  /** What strangers may ask for, decided when nobody waits for the answer. */
  readonly requests?: readonly RequestKind[]
  /** Its audit events. Each needs a text `activity.<name>` for the security page. */
  readonly audit?: readonly { readonly name: ActivityOf<En> }[]
  /** Its parts on pages of other features. */
  readonly on?: PartsOnPages<NoInfer<Path>, NoInfer<keyof En & string>>
}

interface PartsOnPages<Path extends string, Text extends string> extends Partial<Omit<PageParts, 'menu'>> {
  readonly menu?: readonly MenuEntry<Path, Text>[]
}

/** A feature without its type parameters. */
export type AnyFeature = Omit<Feature<string, string, Catalogue>, 'audit'>

interface MenuEntry<Path extends string, Text extends string> extends Pick<NamedMenuEntry, 'who' | 'when'> {
  readonly at: Path
  readonly text: Text
  /** `button`: submits a form. Default: a link. */
  readonly as?: 'link' | 'button'
}

type ActivityOf<En> = { [Key in keyof En]: Key extends `activity.${infer Event}` ? Event : never }[keyof En]

/**
 * Declares a feature and keeps the types of its names, unlike an annotation `: Feature`. Its actions need an annotation, `: Action`: they
 * use path names that are inferred from all features.
 */
export function feature<const Name extends string, const Path extends string, const En extends Catalogue>(
  value: Feature<Name, Path, En>,
): Feature<Name, Path, En> {
  return value
}
