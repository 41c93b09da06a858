// Stores the language that a user chose, so that it applies in other browsers too.
import type { Caller } from '../../core/caller.ts'
import type { Core } from '../../core/core.ts'
import { setLocale } from '../../storage/users.ts'

export async function chooseLanguage(core: Core, { locale }: { readonly locale: string }, caller: Caller): Promise<void> {
  const user = caller.session?.user
  if (user === undefined || user.locale === locale) return
  await core.db.write(setLocale, { id: user.id, locale })
}
