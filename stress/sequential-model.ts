// A model of one account with its sessions, and whether some order of its steps explains a history.

/** What an account is between two steps. */
export interface State {
  /** Undefined: there is no account. */
  readonly password: string | undefined
  /** Raised by each change of the password. */
  readonly epoch: number
  /** Those that live, by the name of the operation that began them. */
  readonly sessions: readonly string[]
}

/** One step of an operation; undefined where it cannot come about in that state. `judged` is the epoch that its first step met. */
export type Step = (state: State, judged: number) => State | undefined

/** What one client did. It is judged when it comes and acts later: others may come in between. */
export interface Operation {
  /** For whoever reads a history that nothing explains. */
  readonly text: string
  readonly startedAt: number
  /** Infinite where no answer came, or none that says whether it acted: then any number of its steps were taken, at any time. */
  readonly endedAt: number
  readonly steps: readonly Step[]
}

const NO_ACCOUNT: State = { password: undefined, epoch: 0, sessions: [] }

/** Looks for an order in which each operation takes its steps between its start and its end (Wing and Gong, 1993). */
export function isExplained(history: readonly Operation[]): boolean {
  const seen = new Set<string>()
  const search = (state: State, taken: readonly number[], judged: readonly number[]): boolean => {
    const open = history.flatMap(({ steps, endedAt }, at) => ((taken[at] ?? 0) < steps.length ? [{ at, endedAt }] : []))
    if (open.every(({ endedAt }) => endedAt === Infinity)) return true
    const key = JSON.stringify([state, taken, judged])
    if (seen.has(key)) return false
    seen.add(key)
    // Nobody begins before all are done that had ended by then.
    const firstEnd = Math.min(...open.map(({ endedAt }) => endedAt))
    return open.some(({ at }) => {
      const { steps = [], startedAt = 0 } = history[at] ?? {}
      const count = taken[at] ?? 0
      const epoch = count === 0 ? state.epoch : (judged[at] ?? 0)
      const next = startedAt > firstEnd ? undefined : steps[count]?.(state, epoch)
      return next !== undefined && search(next, taken.with(at, count + 1), judged.with(at, epoch))
    })
  }
  const none = history.map(() => 0)
  return search(NO_ACCOUNT, none, none)
}

const when = (condition: (state: State) => boolean): Step => {
  return (state) => (condition(state) ? state : undefined)
}

const lives = (session: string) => when(({ sessions }) => sessions.includes(session))
const isDead = (session: string) => when(({ sessions }) => !sessions.includes(session))
const hasPassword = (password: string) => when((state) => state.password === password)
const hasOther = (password: string) => when((state) => state.password !== password)

/** A session of before a change of the password is dead when it begins. */
const begin = (session: string): Step => {
  return (state, judged) => (state.epoch === judged ? { ...state, sessions: [...state.sessions, session].toSorted() } : state)
}

const make = (password: string): Step => {
  return (state) => (state.password === undefined ? { ...state, password } : undefined)
}

const change = (password: string, kept: readonly string[]): Step => {
  return ({ epoch }, judged) => (epoch === judged ? { password, epoch: epoch + 1, sessions: kept } : undefined)
}

const keepOnly = (session: string): Step => {
  return (state) => ({ ...state, sessions: state.sessions.filter((one) => one === session) })
}

const end = (session: string): Step => {
  return (state) => ({ ...state, sessions: state.sessions.filter((one) => one !== session) })
}

/** The steps behind each answer. A session is named by the operation that begins it; undefined: its cookie never came. */
export const STEPS = {
  registered: (password: string, session: string): readonly Step[] => [make(password), begin(session)],
  /** The account is made, but before its first session somebody else logged in and changed the password. */
  tooLate: (password: string): readonly Step[] => [
    make(password),
    (state, judged) => (state.epoch === judged ? undefined : state),
  ],
  taken: (): readonly Step[] => [when(({ password }) => password !== undefined)],
  loggedIn: (password: string, session: string): readonly Step[] => [hasPassword(password), begin(session)],
  wrongPassword: (password: string): readonly Step[] => [hasOther(password)],
  member: (session: string): readonly Step[] => [lives(session)],
  stranger: (session: string): readonly Step[] => [isDead(session)],
  loggedOut: (session: string): readonly Step[] => [end(session)],
  othersEnded: (session: string): readonly Step[] => [lives(session), keepOnly(session)],
  changed: (old: string, password: string, session: string, kept: string | undefined): readonly Step[] => [
    lives(session),
    hasPassword(old),
    change(password, kept === undefined ? [] : [kept]),
  ],
  notChanged: (old: string, session: string): readonly Step[] => [lives(session), hasOther(old)],
}
