import { keepPreviousData, useQuery } from '@tanstack/react-query';
import type { CallingTimesView, ScheduledCallView } from '../../../src/calls/schedule-views.ts';
import type { CallView, Page } from '../../../src/http/api-types.ts';
import { useBusinessQuery, usePersonQuery, useSending } from './business-hooks.ts';

export type { CallingTimesView, ScheduledCallView };

/** When a call is to come, as the API takes it. */
export type TimeWish =
  | { scheduledAt: string }
  | { window: { from?: string | undefined; until: string } };
export type PlanWish = { to: string; purpose: string; lineId: string } & TimeWish;

export type WaitingFilter = {
  lineId: string | undefined;
  from: string | undefined;
  until: string | undefined;
  after: string | undefined;
};

/** Calls that wait, the next one first. */
export function useScheduledCalls(filter: WaitingFilter) {
  const options = useBusinessQuery<Page<ScheduledCallView>>('/v1/scheduled-calls', filter);
  return useQuery({ ...options, placeholderData: keepPreviousData });
}

/** The next minutes to which a waiting call may be moved. */
export function useTimesOfCall({ id, contactId, purpose, lineId }: CallView, limit: number) {
  const query = { callId: id, purpose, lineId, limit };
  const path = `/v1/contacts/${contactId}/calling-times`;
  return useQuery(useBusinessQuery<CallingTimesView>(path, query));
}

/** The next minutes at which a person may be called; not asked without a person and purpose. */
export function useCallingTimes(question: { to: string; purpose: string; lineId: string }) {
  return useQuery({
    ...usePersonQuery<CallingTimesView>('/v1/calling-times', question),
    enabled: question.to !== '' && question.purpose !== '',
    placeholderData: keepPreviousData,
  });
}

export function usePlanCall() {
  return useSending<PlanWish, CallView>('/v1/calls');
}

export function useReschedule(callId: string) {
  return useSending<TimeWish, CallView>(`/v1/calls/${callId}/reschedule`);
}
