import type { PermissionId } from '../platform/ids.ts';
import { unreachable } from '../platform/invariant.ts';
import type { Refusal } from '../platform/refusal.ts';
import type { ConsentMoment, RequestCap } from './consent.ts';
import { isLive, type ConsentPermission, type ConsentState } from './consent-state.ts';

/*
 * Why the consent says no. The decider and the policy gate share these, so the answer given
 * beforehand and the decision itself cannot differ.
 */

/** Why a request may not be sent now, or null. */
export function requestRefusal(state: ConsentState, moment: ConsentMoment): Refusal | null {
  const { now, rules } = moment;
  const live = requestWhileLiveRefusal(state, now);
  if (live !== null) return live;
  for (const cap of rules.requestCaps) {
    const refused = requestCapRefusal(state, cap, now);
    if (refused !== null) return refused;
  }
  return null;
}

/** Nobody is asked again while their yes stands unused. */
export function requestWhileLiveRefusal(
  state: ConsentState,
  now: number,
): (Refusal & { code: 'permission_live' }) | null {
  if (!isLive(state, now)) return null;
  const { permissionId, expiresAt } = state.permission;
  return {
    code: 'permission_live',
    message: 'The customer has already allowed a call, and that permission is still unused.',
    fix: 'Place the call on the permission there is; ask again once it was used or has expired.',
    evidence: { permissionId, expiresAt },
    allowedAt: expiresAt,
  };
}

const SINCE = { yes: 'without a yes', connected_call: 'without a connected call' } as const;

/** At most so many requests within a rolling window, by what sets the count back. */
export function requestCapRefusal(
  state: ConsentState,
  { requestsMax, windowMs, resetBy }: RequestCap,
  now: number,
): (Refusal & { code: 'request_limit_reached'; allowedAt: number }) | null {
  const { requestsWithoutYes, requestsSinceConnected } = state.history;
  const all = resetBy === 'yes' ? requestsWithoutYes : requestsSinceConnected;
  const times = all.filter((at) => at > now - windowMs);
  const oldest = times[times.length - requestsMax];
  if (oldest === undefined) return null;
  return {
    code: 'request_limit_reached',
    message: `Asked ${times.length} times ${SINCE[resetBy]}; the limit is ${requestsMax}.`,
    fix: 'Wait until the oldest request falls out of the window, or let the customer write first.',
    evidence: { requestTimes: times, requestsMax, windowMs },
    allowedAt: oldest + windowMs,
  };
}

/** For a call that names a permission which is not the live one: another yes came since. */
export function notInForce(permissionId: PermissionId): Refusal {
  return ask('permission_missing', 'This permission is not the one in force.', { permissionId });
}

export type CallRefusalCode =
  | 'permission_missing'
  | 'permission_pending'
  | 'permission_used'
  | 'permission_declined'
  | 'permission_expired'
  | 'permission_revoked';

const ASK_AGAIN = 'Ask the customer for permission and call after the yes.';

function ask(
  code: CallRefusalCode,
  message: string,
  evidence: Record<string, unknown> = {},
): Refusal & { code: CallRefusalCode } {
  return { code, message, fix: ASK_AGAIN, evidence };
}

/** Why no call may be placed on this consent now, or null; shared by the decider and the gate. */
export function callRefusal(
  state: ConsentState,
  now: number,
): (Refusal & { code: CallRefusalCode }) | null {
  const permissionId = (permission: ConsentPermission | null) => permission?.permissionId ?? null;
  switch (state.status) {
    case 'none':
      return ask('permission_missing', 'The customer has not allowed a call.');
    case 'lapsed':
      return ask('permission_missing', 'The customer did not answer the permission request.', {
        requestId: state.request.requestId,
        lapsedAt: state.lapsedAt,
      });
    case 'requested':
      return {
        code: 'permission_pending',
        message: 'The customer was asked and has not answered yet.',
        fix: 'Wait for the event permission.granted, then call.',
        evidence: { requestId: state.request.requestId, lapsesAt: state.request.lapsesAt },
      };
    case 'declined':
      return ask('permission_declined', 'The customer said no to the call.', {
        declinedAt: state.declinedAt,
      });
    case 'used':
      return ask('permission_used', 'This permission has served its one call.', {
        permissionId: permissionId(state.permission),
        usedByCallId: state.usedByCallId,
      });
    case 'revoked':
      return ask('permission_revoked', 'The permission was taken back.', {
        permissionId: permissionId(state.permission),
        revokedAt: state.revokedAt,
        revokedBy: state.revokedBy,
      });
    case 'granted':
    case 'expired': {
      if (isLive(state, now)) return null;
      const { expiresAt } = state.permission;
      return ask('permission_expired', 'The permission has expired.', {
        permissionId: permissionId(state.permission),
        expiresAt,
      });
    }
    default:
      return unreachable(state);
  }
}
