// Sends requests at a steady pace over kept connections, whether or not the one before was answered.
import { setTimeout as sleep } from 'node:timers/promises'

export interface Load {
  /** Requests that were answered as they should be, so far. */
  readonly answered: number
  /** What went wrong: at most a few hundred of each kind are worth reading. */
  readonly failed: readonly string[]
  readonly slowestMs: number
  /** Sends no more, and waits for what is on its way. */
  end(): Promise<void>
}

/** `send` resolves with what is wrong about the answer, undefined if nothing is, and rejects if none came. */
export function startLoad(perSecond: number, send: (number: number) => Promise<string | undefined>): Load {
  const failed: string[] = []
  const onTheWay = new Set<Promise<void>>()
  let answered = 0
  let slowestMs = 0
  let isOver = false

  const one = async (number: number) => {
    const sentAt = performance.now()
    const wrong = await send(number).catch(String)
    slowestMs = Math.max(slowestMs, performance.now() - sentAt)
    if (wrong === undefined) answered++
    else failed.push(wrong)
  }
  const run = async () => {
    const startedAt = performance.now()
    for (let number = 0; !isOver; ) {
      const due = ((performance.now() - startedAt) / 1000) * perSecond
      for (; number < due; number++) {
        const sent = one(number)
        onTheWay.add(sent)
        void sent.finally(() => onTheWay.delete(sent))
      }
      await sleep(2)
    }
    await Promise.all(onTheWay)
  }
  const running = run()
  return {
    get answered() {
      return answered
    },
    get slowestMs() {
      return slowestMs
    },
    failed,
    end() {
      isOver = true
      return running
    },
  }
}
