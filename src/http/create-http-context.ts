// Creates the HttpContext, which all requests share.
import { keepVisit } from '../core/came-back.ts'
import type { Core } from '../core/core.ts'
import { isLive } from '../core/live-session.ts'
import { createTranslators } from '../i18n/translate.ts'
import { Sessions } from '../session/request/middleware.ts'
import type { SessionWithUser } from '../storage/contract.ts'
import { createAssets } from '../views/assets.ts'
import { createViews } from '../views/render.ts'
import type { AnyFeature } from './feature.ts'
import type { HttpContext } from './http-context.ts'
import { MembershipSession } from './membership-session.ts'
import type { Paths } from './paths.ts'
import { reloadSettings } from './reload-page.ts'
import { partsOf, textsOf } from './routes.ts'
import { StaticFile } from './static-file.ts'

/** `served`: the features that are not left out. The texts of all are needed, as old audit entries may be of any. */
export function createHttpContext(
  core: Core,
  paths: Paths,
  features: readonly AnyFeature[],
  served: readonly AnyFeature[],
): HttpContext {
  const { settings } = core
  const { cookie, path } = settings
  const cookieName = cookie.secure ? `__Host-${cookie.name}` : cookie.name
  const { paths: assets, files } = createAssets(settings.styleSheet)
  const translator = createTranslators(textsOf(features))
  return {
    core,
    cookieName,
    sessions: new Sessions<SessionWithUser>({
      store: core.db.sessions,
      cookie: { name: cookieName, secure: cookie.secure, sameSite: cookie.sameSite, path: '/', httpOnly: true },
      limits: settings.session,
      clock: core.clock,
      SessionClass: MembershipSession,
      judge: isLive,
      onTouch: ({ user }) => void keepVisit(core, user),
      reload: reloadSettings(settings, translator),
      onError: (error, step) => core.log.warn({ err: error, step }, 'the session store did not take a write'),
    }),
    views: createViews({ siteName: settings.siteName, path, url: paths.url, assets }),
    assets: new Map([...files].map(([at, { type, body }]) => [at, new StaticFile(type, body)])),
    path,
    url: paths.url,
    isOurPath: paths.isOurs,
    home: paths.url('profile.page') ?? '/',
    origin: settings.baseUrl.origin,
    translator,
    parts: partsOf(served, paths),
  }
}
