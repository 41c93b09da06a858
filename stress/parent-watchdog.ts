// Loaded before a server of a run: ends it when the process that started it is gone.
process.on('disconnect', () => process.exit())
// But it does not live for that process's sake. A worker is held by its supervisor already.
if (process.env.GUILDHALL_WORKER === undefined) process.channel?.unref()
