import { useQuery } from '@tanstack/react-query';
import type { CallActionView, Page } from '../../../src/http/api-types.ts';
import { useBusinessQuery, useSending } from './business-hooks.ts';

/** An order to the live call, as `POST /v1/calls/{id}/actions` takes it. */
export type ActionWish =
  | { action: 'hold' | 'resume' | 'complete_transfer' | 'cancel_transfer' }
  | { action: 'mute' | 'unmute'; leg: 'endpoint' }
  | { action: 'send_dtmf'; digits: string }
  | { action: 'transfer'; mode: 'blind' | 'attended'; endpointId: string };

export function useCallAction(callId: string) {
  return useSending<ActionWish, CallActionView>(`/v1/calls/${callId}/actions`);
}

/** Orders and what became of them, oldest first. */
export function useCallActions(callId: string) {
  return useQuery(useBusinessQuery<Page<CallActionView>>(`/v1/calls/${callId}/actions`, {}));
}
