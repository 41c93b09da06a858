// Loaded before a measured server: answers, over the channel to the benchmark, what the process has used so far.

export interface Usage {
  /** User and system time of the whole process, threads included. */
  readonly cpuMicros: number
  readonly rssBytes: number
}

process.on('message', () => {
  const { user, system } = process.cpuUsage()
  const usage: Usage = { cpuMicros: user + system, rssBytes: process.memoryUsage.rss() }
  process.send?.(usage)
})
// No server outlives the benchmark, however that ends.
process.on('disconnect', () => process.exit())
// The channel keeps no server open that wants to end.
process.channel?.unref()
