// Every stress and fault-injection run there is.

import { bursts } from './bursts.ts'
import { cleanup } from './cleanup.ts'
import { comparison } from './comparison.ts'
import { postgresFailsOver } from './fault-failover.ts'
import { postgresLags } from './fault-lags.ts'
import { postgresStops } from './fault-postgres.ts'
import { redisStops } from './fault-redis.ts'
import { redisLoses } from './fault-redis-lost.ts'
import { revokedWhileAway } from './fault-revoked.ts'
import { fuzzing } from './fuzzing.ts'
import { gracefulStop } from './graceful-stop.ts'
import { histories } from './histories.ts'
import { killed } from './kill.ts'
import { killedMails } from './kill-mails.ts'
import { killedSaves } from './kill-saves.ts'
import { logoutRace } from './logout-race.ts'
import { oneName } from './one-name.ts'
import { oneTime } from './one-time.ts'
import { powerLoss } from './power-loss.ts'
import { regenerateRace } from './regenerate-race.ts'
import type { StressRun } from './result.ts'
import { rollingRestart } from './rolling-restart.ts'
import { sameMoment } from './same-moment.ts'
import { sharedLimit } from './shared-limit.ts'
import { soak } from './soak.ts'
import { disableRace } from './suspend-race.ts'
import { touchRace } from './touch-race.ts'
import { writersRace } from './writers-race.ts'

export const stressRuns: readonly StressRun[] = [
  oneName,
  killed,
  killedSaves,
  killedMails,
  powerLoss,
  logoutRace,
  writersRace,
  touchRace,
  regenerateRace,
  oneTime,
  disableRace,
  histories,
  comparison,
  cleanup,
  sharedLimit,
  sameMoment,
  rollingRestart,
  gracefulStop,
  bursts,
  soak,
  fuzzing,
  postgresStops,
  postgresLags,
  postgresFailsOver,
  redisStops,
  redisLoses,
  revokedWhileAway,
]
