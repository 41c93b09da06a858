// What the types of a feature must refuse. Compiled with the tests, never run.
import { z } from 'zod'
import { auditEvent } from '../../src/core/audit.ts'
import type { SignInResult } from '../../src/core/sign-in.ts'
import { action } from '../../src/http/action.ts'
import { feature } from '../../src/http/feature.ts'
import type { Paths } from '../../src/http/paths.ts'
import { UserBody } from '../../src/http/shapes.ts'
import { signedIn } from '../../src/http/signed-in.ts'
import { createMembership } from '../../src/membership.ts'

const texts = { en: { title: 'A', 'activity.opened': 'Opened' }, 'zh-TW': { title: '甲', 'activity.opened': '開啟' } } as const

feature({
  name: 'right',
  paths: { one: '/one' },
  texts,
  actions: [],
  audit: [auditEvent('opened')],
  on: { menu: [{ at: 'one', text: 'title', who: 'guest' }] },
})

feature({
  name: 'without-chinese',
  paths: { one: '/one' },
  // @ts-expect-error a text is missing in Chinese
  texts: { en: { title: 'A', more: 'B' }, 'zh-TW': { title: '甲' } },
  actions: [],
})

feature({
  name: 'silent-event',
  paths: { one: '/one' },
  texts,
  actions: [],
  // @ts-expect-error an event without a text `activity.closed`
  audit: [auditEvent('closed')],
})

feature({
  name: 'wrong-menu',
  paths: { one: '/one' },
  texts,
  actions: [],
  // @ts-expect-error no such path of this feature
  on: { menu: [{ at: 'two', text: 'title', who: 'guest' }] },
})

feature({
  name: 'wrong-text',
  paths: { one: '/one' },
  texts,
  actions: [],
  // @ts-expect-error no such text of this feature
  on: { menu: [{ at: 'one', text: 'heading', who: 'guest' }] },
})

export function names(url: Paths['url']): void {
  url('login.page')
  url('security.sessions', '/end-others')
  // @ts-expect-error no such path
  url('login.pgae')
}

declare const more: () => Promise<SignInResult | { readonly next: 'connect' }>
const common = {
  at: 'x',
  guard: 'anybody',
  input: z.object({}),
  api: { name: 'x', summary: 'x', description: 'x', body: UserBody },
} as const
action({ ...common, run: (): Promise<SignInResult> => Promise.reject(new Error('never run')), answer: signedIn })
// @ts-expect-error the outcome `connect` has no answer
action({ ...common, run: more, answer: signedIn })

export const options = [
  () => createMembership({ baseUrl: '', database: '', features: { login: { page: '/enter' }, 'recent-login': false } }),
  () => createMembership({ baseUrl: '', database: '', features: { login: { page: { own: '/enter' } } } }),
  // @ts-expect-error no such feature
  () => createMembership({ baseUrl: '', database: '', features: { lgoin: false } }),
  // @ts-expect-error no such path of it
  () => createMembership({ baseUrl: '', database: '', features: { login: { pgae: '/enter' } } }),
]
