// Every page with made-up people on it: for the tests, and for the pictures that scripts/preview.ts takes.
import { FEATURES } from '../../src/features/all.ts'
import { createPaths } from '../../src/http/paths.ts'
import { partsOf } from '../../src/http/routes.ts'
import { activityText, errorTexts, fieldText, noticeText } from '../../src/i18n/messages.ts'
import { LOCALES, type Locale } from '../../src/i18n/translate.ts'
import { RELOAD_POLICY, reloadPage } from '../../src/session/request/same-site-reload.ts'
import { createAssets } from '../../src/views/assets.ts'
import { deviceName } from '../../src/views/device-name.ts'
import type { FormState, PageData } from '../../src/views/pages.ts'
import { createViews, type FeatureTemplate } from '../../src/views/render.ts'
import { translator } from '../support/texts.ts'
import { addressSamples } from './address-samples.ts'
import { resetSamples } from './reset-samples.ts'

export interface Sample {
  readonly name: string
  readonly html: string
  /** Its Content-Security-Policy. Default: that of our pages. */
  readonly policy?: string
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const IPV6 = '2001:db8:85a3:8d3:1319:8a2e:370:7348'
const NOW = Date.UTC(2026, 4, 4, 9, 12)

interface Happened {
  readonly device: string | undefined
  readonly on?: string
  readonly ip?: string | undefined
  readonly count?: number
  readonly firstAt?: number
}

/** The same in each language: `login-en`, `login-zh-TW`. */
export function samplesInEveryLanguage(word?: string): (Sample & { readonly locale: Locale })[] {
  return LOCALES.flatMap((locale) =>
    samples(word, { locale }).map((sample) => ({ ...sample, name: `${sample.name}-${locale}`, locale })),
  )
}

/** All pages in all their states. `word` is in the place of every text that a person chose. */
export function samples(word?: string, { path = '', locale = 'en' }: { path?: string; locale?: Locale } = {}): Sample[] {
  const t = translator(locale)
  const notice = (code: string) => noticeText(t, code) ?? ''
  const fullName = word ?? (locale === 'zh-TW' ? '林安娜' : 'Anna Lindqvist')
  const username = word ?? 'anna'
  const firefox = deviceName('Firefox/140.0 Linux', t)
  const iPhone = deviceName('iPhone Safari/604.1', t)
  const device = word ?? deviceName('Chrome/141.0 Windows', t)
  const { url } = createPaths(path, FEATURES, {})
  const views = createViews({ siteName: word ?? 'Guildhall', path, url, assets: createAssets().paths })
  const parts = partsOf(FEATURES, createPaths(path, FEATURES, {}))
  const menuOf = (who: 'guest' | 'member', current?: string) =>
    parts.menu
      .filter((entry) => entry.who === who)
      .map(({ href, text, isButton }) => ({ href, text: t(text), isButton, isCurrent: href === `${path}${current}` }))
  const common = { t, lang: locale, path: `/here?of=${word ?? 'all'}` }
  const header = parts.header.map(({ template }) => views.part(template, common))
  const anybody: PageData = { ...common, header, menu: menuOf('guest') }
  const closed = anybody.menu.filter(({ href }) => !href.endsWith('/register'))
  const user = {
    username,
    displayName: fullName,
    email: word ?? 'anna@x.tw',
    emailVerified: false,
    createdAt: new Date(NOW - 400 * DAY).toISOString(),
    roles: ['admin', 'editor'],
  }
  const member: PageData = { ...common, header, menu: menuOf('member'), user }
  const at = (data: PageData, current: string) => ({ ...data, menu: menuOf(data.user ? 'member' : 'guest', current) })
  const part = (template: FeatureTemplate, data: object) => views.part(template, { ...common, ...data })
  const returnTo = `/diary?of=${username}`
  const refused: FormState = {
    values: { username, remember: 'on', password: 'never shown' },
    errors: [],
    message: errorTexts(t, 'invalid_credentials').detail,
  }
  const incomplete: FormState = {
    values: { username: '-a', displayName: fullName, password: 'never shown' },
    errors: [
      { field: 'username', message: fieldText(t, { field: 'username', code: 'bad_characters' }) },
      { field: 'password', message: fieldText(t, { field: 'password', code: 'too_short', values: { min: 8 } }) },
    ],
  }
  const session = { ip: '192.0.2.7', createdAt: NOW - 3 * DAY, expiresAt: NOW + 12 * DAY, remembered: false }
  const sessions = [
    { ...session, id: 'a', current: true, device: firefox, lastSeenAt: NOW, createdAt: NOW - HOUR },
    { ...session, id: 'b', current: false, device: iPhone, lastSeenAt: NOW - 2 * HOUR, remembered: true },
    {
      ...session,
      id: `c/${username}`,
      current: false,
      device,
      ip: IPV6,
      lastSeenAt: NOW - 12 * DAY,
    },
    { ...session, id: 'd', current: false, device: iPhone, lastSeenAt: NOW - 2 * DAY },
  ]
  const happened = (lastAt: number, event: string, outcome: string, { on, ...of }: Happened) => {
    return { count: 1, firstAt: lastAt, lastAt, ip: session.ip, text: activityText(t, { event, outcome, on }), ...of }
  }
  const activity = [
    happened(NOW, 'login', 'success', { device: firefox }),
    happened(NOW - 11 * HOUR, 'login', 'wrong_password', { device, ip: IPV6, count: 12, firstAt: NOW - 20 * DAY }),
    happened(NOW - 2 * DAY, 'session_ended', 'success', { device: firefox, on: iPhone }),
    happened(NOW - 3 * DAY, 'display_name_changed', 'success', { device: undefined, ip: undefined }),
  ]
  const password = { changedAt: NOW - 95 * DAY }
  const panels = (shown: readonly object[]) => ({
    parts: [
      part('security/password-panel', { ...password, now: NOW }),
      part('email-verification/panel', { address: user.email, isProven: shown.length > 1, isUndeliverable: false }),
      part('security/sessions-panel', { sessions: shown, now: NOW }),
    ],
  })
  const forgotLink = part('password-reset/forgot-link', { forgotPath: `${path}/forgot-password` })
  const login = {
    ...at(anybody, '/login'),
    rememberDays: 30,
    takesEmail: true,
    parts: [part('registration/login-link', {}), forgotLink],
  }
  const register = { ...at(anybody, '/register'), minLength: 8, asksForEmail: true }
  const profile = at(member, '/profile')
  const changePassword = { ...member, ...password, now: NOW, minLength: 8 }
  const security = { ...at(member, '/account/security'), activity, ...panels(sessions) }
  const error = { status: 404, requestId: '01J9Z7Q2-8K4M', ...errorTexts(t, 'not_found') }

  return [
    { name: 'home', html: views.page('home', { ...anybody, registrationOpen: true }) },
    {
      name: 'home-closed',
      html: views.page('home', { ...anybody, menu: closed, registrationOpen: false, notice: word ?? notice('logged_out') }),
    },
    { name: 'home-member', html: views.page('home', { ...member, registrationOpen: true }) },
    { name: 'login', html: views.featurePage('login/login', login) },
    {
      name: 'login-refused',
      html: views.featurePage('login/login', {
        ...login,
        returnTo,
        form: refused,
        parts: [part('registration/login-link', { returnTo }), forgotLink],
      }),
    },
    {
      name: 'login-notice',
      html: views.featurePage('login/login', {
        ...login,
        menu: login.menu.filter(({ href }) => !href.endsWith('/register')),
        notice: notice('logged_out'),
        parts: [],
      }),
    },
    { name: 'register', html: views.featurePage('registration/register', register) },
    { name: 'register-errors', html: views.featurePage('registration/register', { ...register, returnTo, form: incomplete }) },
    { name: 'profile', html: views.featurePage('profile/profile', { ...profile, notice: notice('profile_saved') }) },
    {
      name: 'profile-errors',
      html: views.featurePage('profile/profile', {
        ...profile,
        user: { ...user, roles: [] },
        form: {
          values: { displayName: fullName },
          errors: [{ field: 'displayName', message: t('field.too_long', { max: 64 }) }],
        },
      }),
    },
    { name: 'logout', html: views.featurePage('logout/logout', member) },
    { name: 'logout-anybody', html: views.featurePage('logout/logout', anybody) },
    { name: 'security', html: views.featurePage('security/security', security) },
    {
      name: 'security-alone',
      html: views.featurePage('security/security', {
        ...security,
        ...panels(sessions.slice(0, 1)),
        notice: notice('other_sessions_ended'),
        activity: [],
      }),
    },
    { name: 'reauthenticate', html: views.featurePage('recent-login/reauthenticate', { ...member, returnTo }) },
    {
      name: 'reauthenticate-refused',
      html: views.featurePage('recent-login/reauthenticate', {
        ...member,
        form: { ...refused, message: t('recent-login.wrong_password') },
      }),
    },
    { name: 'password', html: views.featurePage('password/password', changePassword) },
    {
      name: 'password-refused',
      html: views.featurePage('password/password', {
        ...changePassword,
        form: { ...refused, message: t('password.wrong_password') },
      }),
    },
    {
      name: 'password-errors',
      html: views.featurePage('password/password', {
        ...changePassword,
        form: {
          values: {},
          errors: [
            { field: 'currentPassword', message: fieldText(t, { field: 'currentPassword', code: 'required' }) },
            { field: 'newPassword', message: fieldText(t, { field: 'newPassword', code: 'too_personal' }) },
          ],
        },
      }),
    },
    { name: 'password-none', html: views.featurePage('password/password', { ...changePassword, changedAt: undefined }) },
    ...resetSamples(views, anybody, username),
    ...addressSamples(views, anybody, member, word),
    { name: 'error', html: views.page('error', { ...anybody, ...error }) },
    {
      name: 'error-way-back',
      html: views.page('error', { ...member, ...error, detail: word ?? error.detail, backTo: returnTo }),
    },
    reloadSample(locale, word),
  ]
}

/** The one page without a template: the session makes it, in the membership's words. Without its refresh, which would load it for ever. */
function reloadSample(locale: Locale, word: string | undefined): Sample {
  const t = translator(locale)
  const heading = t('same_site_reload.title')
  const texts = {
    lang: locale,
    title: t('layout.title', { page: heading, site: word ?? 'Guildhall' }),
    heading,
    sentence: t('same_site_reload.sentence'),
    link: t('same_site_reload.link'),
  }
  return { name: 'same-site-reload', html: reloadPage(undefined, texts), policy: RELOAD_POLICY }
}
