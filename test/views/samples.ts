// Every page with made-up people on it: for the tests, and for the pictures that scripts/preview.ts takes.
import { activityText, errorTexts, fieldText, noticeText } from '../../src/i18n/messages.ts'
import { LOCALES, type Locale, translator } from '../../src/i18n/translate.ts'
import { deviceName } from '../../src/views/device-name.ts'
import type { FormState, PageData } from '../../src/views/pages.ts'
import { createViews } from '../../src/views/render.ts'

export interface Sample {
  readonly name: string
  readonly html: string
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const NOW = Date.UTC(2026, 4, 4, 9, 12)

/** The same in each language: `login-en`, `login-zh-TW`. */
export function samplesInEveryLanguage(word?: string): (Sample & { readonly locale: Locale })[] {
  return LOCALES.flatMap((locale) =>
    samples(word, { locale }).map(({ name, html }) => ({ name: `${name}-${locale}`, html, locale })),
  )
}

/** All pages in all their states. `word` stands wherever a person chose the text. */
export function samples(word?: string, { path = '', locale = 'en' }: { path?: string; locale?: Locale } = {}): Sample[] {
  const t = translator(locale)
  const notice = (code: string) => noticeText(t, code) ?? ''
  const fullName = word ?? (locale === 'zh-TW' ? '林安娜' : 'Anna Lindqvist')
  const username = word ?? 'anna'
  const firefox = deviceName('Firefox/140.0 Linux', t)
  const iPhone = deviceName('iPhone Safari/604.1', t)
  const device = word ?? deviceName('Chrome/141.0 Windows', t)
  const views = createViews({ siteName: word ?? 'Guildhall', url: (to) => `${path}${to}` })
  const anybody: PageData = { t, lang: locale, path: `/here?of=${word ?? 'all'}` }
  const member: PageData = { ...anybody, user: { username, displayName: fullName } }
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
  const profile = { username, displayName: fullName, createdAt: NOW - 400 * DAY, roles: ['admin', 'editor'] }
  const session = { ip: '192.0.2.7', createdAt: NOW - 3 * DAY, expiresAt: NOW + 12 * DAY, remembered: false }
  const sessions = [
    { ...session, id: 'a', current: true, device: firefox, lastSeenAt: NOW, createdAt: NOW - HOUR },
    { ...session, id: 'b', current: false, device: iPhone, lastSeenAt: NOW - 2 * HOUR, remembered: true },
    {
      ...session,
      id: `c/${username}`,
      current: false,
      device,
      ip: '2001:db8:85a3:8d3:1319:8a2e:370:7348',
      lastSeenAt: NOW - 12 * DAY,
    },
    { ...session, id: 'd', current: false, device: iPhone, lastSeenAt: NOW - 2 * DAY },
  ]
  const activity = [
    { at: NOW, text: activityText(t, { event: 'login', outcome: 'success', device: firefox }) },
    { at: NOW - 11 * HOUR, text: activityText(t, { event: 'login', outcome: 'wrong_password', device }) },
    { at: NOW - 3 * DAY, text: activityText(t, { event: 'profile_changed', outcome: 'success', device: iPhone }) },
  ]
  const password = { changedAt: NOW - 95 * DAY }
  const login = { registrationOpen: true, rememberDays: 30 }
  const error = { status: 404, requestId: '01J9Z7Q2-8K4M', ...errorTexts(t, 'not_found') }

  return [
    { name: 'home', html: views.page('home', anybody) },
    {
      name: 'home-closed',
      html: views.page('home', { ...anybody, registrationOpen: false, notice: word ?? notice('logged_out') }),
    },
    { name: 'home-member', html: views.page('home', member) },
    { name: 'login', html: views.page('login', { ...anybody, ...login }) },
    { name: 'login-refused', html: views.page('login', { ...anybody, ...login, returnTo, form: refused }) },
    {
      name: 'login-notice',
      html: views.page('login', { ...anybody, ...login, registrationOpen: false, notice: notice('logged_out') }),
    },
    { name: 'register', html: views.page('register', { ...anybody, minLength: 8 }) },
    { name: 'register-errors', html: views.page('register', { ...anybody, minLength: 8, returnTo, form: incomplete }) },
    { name: 'profile', html: views.page('profile', { ...member, current: 'profile', notice: notice('profile_saved'), profile }) },
    {
      name: 'profile-errors',
      html: views.page('profile', {
        ...member,
        current: 'profile',
        profile: { ...profile, roles: [] },
        form: {
          values: { displayName: fullName },
          errors: [{ field: 'displayName', message: t('field.too_long', { max: 64 }) }],
        },
      }),
    },
    { name: 'logout', html: views.page('logout', member) },
    { name: 'logout-anybody', html: views.page('logout', anybody) },
    {
      name: 'security',
      html: views.page('security', { ...member, current: 'security', sessions, activity, password, now: NOW }),
    },
    {
      name: 'security-alone',
      html: views.page('security', {
        ...member,
        current: 'security',
        notice: notice('other_sessions_ended'),
        sessions: sessions.slice(0, 1),
        activity: [],
        password,
        now: NOW,
      }),
    },
    { name: 'reauthenticate', html: views.page('reauthenticate', { ...member, returnTo }) },
    {
      name: 'reauthenticate-refused',
      html: views.page('reauthenticate', {
        ...member,
        form: { ...refused, message: t('error.invalid_credentials.reauthenticate') },
      }),
    },
    { name: 'error', html: views.page('error', { ...anybody, ...error }) },
    {
      name: 'error-way-back',
      html: views.page('error', {
        ...member,
        ...error,
        detail: word ?? error.detail,
        backTo: { href: returnTo, text: word ?? t('nav.profile') },
      }),
    },
    { name: 'same-site-reload', html: views.page('same-site-reload', anybody) },
  ]
}
