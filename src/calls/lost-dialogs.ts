import type { EndpointId } from '../platform/ids.ts';
import type { CallState } from './call.ts';
import { currentEndpoint, NO_CONTROL } from './call-control.ts';

/** A leg that a dead gateway left up: its SIP dialog, and where it leads. */
export type LostDialog = {
  endpointId: EndpointId;
  target: string | null;
  dialog: Record<string, unknown>;
};

/** Every dialog of a call that nobody has ended: each gets its BYE from whoever takes over. */
export function lostDialogs({ plan, facts }: CallState): LostDialog[] {
  const { endpoint, control = NO_CONTROL } = facts;
  const current =
    endpoint === null
      ? []
      : [
          {
            ...endpoint,
            endpointId: currentEndpoint(plan, facts),
            target: endpoint.target ?? null,
          },
        ];
  return [...current, ...control.legs].flatMap(({ endpointId, target, dialog, endedAt }) =>
    dialog === null || endedAt !== null ? [] : [{ endpointId, target, dialog }],
  );
}
