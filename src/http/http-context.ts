// What the http room is furnished with: made once by the membership, the same for every request.
import type { Core } from '../core/core.ts'
import type { Locale } from '../i18n/translate.ts'
import type { Sessions } from '../session/request/middleware.ts'
import type { LiveSession } from '../storage/contract.ts'
import type { Asset } from '../views/assets.ts'
import type { Views } from '../views/render.ts'

export interface HttpContext {
  readonly core: Core
  readonly sessions: Sessions<LiveSession>
  readonly cookieName: string
  readonly views: Views
  /** The style sheet, the script and the icon, by their paths below `path`. */
  readonly assets: ReadonlyMap<string, Asset>
  /** Where the membership's paths begin: `''` or `/members`. */
  readonly path: string
  /** The full local path of one of ours: `/login` becomes `/members/login`, or where the host moved it. */
  readonly url: (path: string) => string
  /** Where a person goes who wanted nothing in particular: the profile, or the host's front page. */
  readonly home: string
  /** Scheme, host and port that people see. */
  readonly origin: string
  /** Other origins whose writes are welcome. */
  readonly trustedOrigins: ReadonlySet<string>
  /** Whether a write without `Sec-Fetch-Site` and `Origin` is refused. */
  readonly strictOrigin: boolean
  readonly production: boolean
  /** The language where neither the visitor nor the browser names one of ours. */
  readonly locale: Locale
}

export type Endpoint = 'page' | 'api'
