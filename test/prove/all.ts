// Every proof there is.
import { killed } from './kill.ts'
import { logoutRace } from './logout-race.ts'
import { madeUpRequests } from './made-up-requests.ts'
import { oneName } from './one-name.ts'
import type { Proof } from './proof.ts'
import { sharedLimit } from './shared-limit.ts'

export const proofs: readonly Proof[] = [oneName, killed, logoutRace, sharedLimit, madeUpRequests]
