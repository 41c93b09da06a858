// Limits log lines that anybody can cause at will: at most one in ten seconds.
const EVERY_MS = 10_000

type LogLine = (fields: object, message: string) => void

/** The next line reports how many were left out, as `more`. */
export function limitLog(log: LogLine): LogLine {
  let next = Number.NEGATIVE_INFINITY
  let more = 0
  return (fields, message) => {
    const now = performance.now()
    if (now < next) {
      more++
      return
    }
    log(more === 0 ? fields : { ...fields, more }, message)
    next = now + EVERY_MS
    more = 0
  }
}
