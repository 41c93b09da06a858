// `/account/security` and `/account/sessions`: shows sessions and activity, and ends sessions.
import { z } from 'zod'
import { type Action, action, pageOnly } from '../../http/action.ts'
import { feature } from '../../http/feature.ts'
import { nothing } from '../../http/fields.ts'
import { part } from '../../http/http-context.ts'
import { judged, perMember } from '../../http/limits.ts'
import { type Page, page } from '../../http/page.ts'
import { renderParts } from '../../http/page-data.ts'
import { time } from '../../http/shapes.ts'
import {
  endOtherSessions,
  endOwnSession,
  listOwnSessions,
  type OwnSession,
  otherSessionsEndedEvent,
  sessionEndedEvent,
} from '../../users/sessions.ts'
import { activityOf } from './activity.ts'
import { passwordPanel, sessionsPanel } from './panels.ts'
import en from './texts.en.json' with { type: 'json' }
import zhTW from './texts.zh-TW.json' with { type: 'json' }

const securityPage: Page = page('security/security', async (context) => ({
  parts: await renderParts(context, context.http.parts.security),
  activity: await activityOf(context),
}))

const sessionId = z.string().meta({
  description: 'Identifies the session; not usable as a cookie.',
  examples: ['6b1f8f0e-52c4-4d0c-9c1e-8a3b7d2f9e10'],
})

const ifKnown = (example: string) =>
  z
    .string()
    .nullable()
    .meta({ examples: [example] })

const SessionShape = z
  .object({
    id: sessionId,
    current: z.boolean().meta({ description: 'Whether it is the session of this request.', examples: [true] }),
    createdAt: time,
    lastSeenAt: time,
    expiresAt: time,
    ip: ifKnown('192.0.2.7'),
    userAgent: ifKnown('Mozilla/5.0'),
  })
  .meta({ id: 'Session' })

const list: Action = action({
  at: 'sessions',
  method: 'get',
  guard: 'member',
  input: nothing,
  page: false,
  api: {
    name: 'listSessions',
    summary: 'List the sessions',
    description: 'The sessions of the user, the last seen first. The ids cannot be used as cookies.',
    body: z.object({ sessions: z.array(SessionShape) }).meta({ id: 'SessionsBody' }),
  },
  run: (core, _input, caller) => listOwnSessions(core, caller),
  answer: (sessions) => ({ body: { sessions: sessions.map(toSessionJson) } }),
})

const endOne: Action = action({
  at: 'sessions/:id/end',
  guard: 'member',
  input: z.object({ id: sessionId }),
  limit: [perMember('sessions', judged('60 per 10m'))],
  api: {
    name: 'endSession',
    summary: 'End a session',
    description:
      'Ends one session of the user, which may be that of this request. The id of another user’s session is `not_found`, like an unknown one.',
    refuses: ['not_found'],
  },
  run: endOwnSession,
  answer: (isCurrent, { url }) =>
    isCurrent ? { to: url('login.page'), notice: 'logged_out' } : { to: url('security.page'), notice: 'session_ended' },
})

const endOthers: Action = action({
  at: 'sessions/end-others',
  guard: 'member',
  input: nothing,
  limit: [perMember('sessions', judged('60 per 10m'))],
  api: {
    name: 'endOtherSessions',
    summary: 'End the other sessions',
    description: 'Ends every session of the user except the one of this request.',
  },
  run: endOtherSessions,
  answer: (_result, { url }) => ({ to: url('security.page'), notice: 'other_sessions_ended' }),
})

export const security = feature({
  name: 'security',
  paths: { page: '/account/security', sessions: '/account/sessions' },
  texts: { en, 'zh-TW': zhTW },
  actions: [pageOnly({ at: 'page', guard: 'member', page: securityPage }), list, endOne, endOthers],
  audit: [sessionEndedEvent, otherSessionsEndedEvent],
  on: {
    menu: [{ at: 'page', text: 'menu', who: 'member' }],
    security: [part('security/password-panel', passwordPanel), part('security/sessions-panel', sessionsPanel)],
  },
})

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
