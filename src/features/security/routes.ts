// `/account/security` and `/account/sessions`: where a person is logged in, and how to end it.
import { z } from 'zod'
import { action } from '../../http/action.ts'
import { nothing } from '../../http/fields.ts'
import { perMember } from '../../http/limits.ts'
import { page } from '../../http/page.ts'
import type { RequestContext } from '../../http/request-context.ts'
import { time } from '../../http/shapes.ts'
import { activityText } from '../../i18n/messages.ts'
import { endOtherSessions, endOwnSession, listOwnSessions, type OwnSession } from '../../users/sessions.ts'
import { deviceName } from '../../views/device-name.ts'
import { securityOverview } from './security-overview.ts'

const security = action({
  path: '/account/security',
  method: 'get',
  guard: 'member',
  input: nothing,
  endpoints: [],
  page: page('security', securityPage, { current: 'security' }),
  run: () => undefined,
  answer: () => ({}),
})

const sessionId = z.string().meta({
  description: 'Names the session in this list; not usable as a cookie.',
  examples: ['6b1f8f0e-52c4-4d0c-9c1e-8a3b7d2f9e10'],
})

const SessionShape = z
  .object({
    id: sessionId,
    current: z.boolean().meta({ description: 'Whether it is the session of this request.', examples: [true] }),
    createdAt: time,
    lastSeenAt: time,
    expiresAt: time,
    ip: z
      .string()
      .nullable()
      .meta({ examples: ['192.0.2.7'] }),
    userAgent: z
      .string()
      .nullable()
      .meta({ examples: ['Mozilla/5.0'] }),
  })
  .meta({ id: 'Session' })

const list = action({
  path: '/account/sessions',
  method: 'get',
  guard: 'member',
  input: nothing,
  endpoints: ['api'],
  api: { summary: 'Where the person is logged in, this session first.', body: z.object({ sessions: z.array(SessionShape) }) },
  run: (core, _input, caller) => listOwnSessions(core, caller),
  answer: (sessions) => ({ body: { sessions: sessions.map(toSessionJson) } }),
})

const endOne = action({
  path: '/account/sessions/:id/end',
  guard: 'member',
  input: z.object({ id: sessionId }),
  api: { summary: 'Ends one session of the person, also this one.', refuses: ['not_found'] },
  limits: [perMember('sessions', '60 per 10m')],
  run: endOwnSession,
  answer: ({ own }, { http }) =>
    own ? { to: http.url('/login'), notice: 'logged_out' } : { to: http.url('/account/security'), notice: 'session_ended' },
})

const endOthers = action({
  path: '/account/sessions/end-others',
  guard: 'member',
  input: nothing,
  api: { summary: 'Ends every session of the person but this one.' },
  limits: [perMember('sessions', '60 per 10m')],
  run: endOtherSessions,
  answer: (_result, { http }) => ({ to: http.url('/account/security'), notice: 'other_sessions_ended' }),
})

export const sessionRoutes = [...security, ...list, ...endOne, ...endOthers]

async function securityPage({ core, caller, t }: RequestContext) {
  const { sessions, passwordChangedAt, entries } = await securityOverview(core, caller)
  return {
    now: core.clock.now(),
    sessions: currentFirst(sessions).map(({ userAgent, createdAt, lastSeenAt, expiresAt, ...session }) => ({
      ...session,
      createdAt: createdAt.getTime(),
      lastSeenAt: lastSeenAt.getTime(),
      expiresAt: expiresAt.getTime(),
      device: deviceName(userAgent, t),
    })),
    password: passwordChangedAt === undefined ? undefined : { changedAt: passwordChangedAt },
    activity: entries.map(({ at, event, outcome, userAgent }) => ({
      at,
      text: activityText(t, { event, outcome, device: deviceName(userAgent, t) }),
    })),
  }
}

function currentFirst(sessions: readonly OwnSession[]): readonly OwnSession[] {
  return sessions.toSorted((a, b) => Number(b.current) - Number(a.current))
}

function toSessionJson({ id, current, createdAt, lastSeenAt, expiresAt, ip, userAgent }: OwnSession) {
  return {
    id,
    current,
    createdAt: createdAt.toISOString(),
    lastSeenAt: lastSeenAt.toISOString(),
    expiresAt: expiresAt.toISOString(),
    ip: ip ?? null,
    userAgent: userAgent ?? null,
  }
}
