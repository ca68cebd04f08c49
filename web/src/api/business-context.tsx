import { useQueryClient } from '@tanstack/react-query';
import { createContext, useContext, useEffect, useMemo, useState, type ReactNode } from 'react';
import { systemClock } from '../../../src/platform/clock.ts';
import { makeBusinessClient, type BusinessClient } from './business-client.ts';
import { followStream, type StreamMessage } from './event-stream.ts';
import { makeRefresher } from './refresher.ts';

export type Business = {
  client: BusinessClient;
  /** True while the server tells us of changes by itself. */
  live: boolean;
  /** How often to ask anyway: often while the stream is down, rarely as a safety net else. */
  pollMs: number;
};

const BusinessContext = createContext<Business | null>(null);

const POLL_WITHOUT_STREAM_MS = 5_000;
const POLL_WITH_STREAM_MS = 20_000;

/** What calls and people do not change; read again with every event, it would use up the key. */
const SET_UP = new RegExp(
  '^/v1/(lines|endpoints|routing|voip-guard|policy|practices|scripts|prompts|templates|stop-all|ledger' +
    '|call-outcomes|webhook-endpoints$|events/types)\\b',
);
const isSetUp = (queryKey: readonly unknown[]): boolean => SET_UP.test(String(queryKey[2]));
const changesSetUp = ({ data }: StreamMessage): boolean =>
  /"type":"(Account|Endpoint(Up|Down)|Template)/.test(data);

/** Opens the business half for one API key: its client and its stream of changes. */
export function BusinessProvider(props: { apiKey: string; children: ReactNode }) {
  const queryClient = useQueryClient();
  const [live, setLive] = useState(false);
  const client = useMemo(() => makeBusinessClient(location.origin, props.apiKey), [props.apiKey]);

  useEffect(() => {
    let setUpToo = false;
    const refresher = makeRefresher(systemClock, () => {
      const everything = setUpToo;
      setUpToo = false;
      void queryClient.invalidateQueries({
        queryKey: ['business'],
        predicate: ({ queryKey }) => everything || !isSetUp(queryKey),
      });
    });
    const stop = followStream({
      url: `${client.baseUrl}/v1/stream`,
      headers: { authorization: `Bearer ${client.apiKey}` },
      clock: systemClock,
      fetch: (...args) => fetch(...args),
      onMessage(message) {
        setUpToo ||= changesSetUp(message);
        refresher.changed();
      },
      onLive(now) {
        setLive(now);
        // What changed while the stream was down was not told.
        setUpToo ||= now;
        if (now) refresher.changed();
      },
    });
    return () => {
      stop();
      refresher.stop();
    };
  }, [client, queryClient]);

  const business = useMemo<Business>(
    () => ({ client, live, pollMs: live ? POLL_WITH_STREAM_MS : POLL_WITHOUT_STREAM_MS }),
    [client, live],
  );
  return <BusinessContext value={business}>{props.children}</BusinessContext>;
}

export function useBusiness(): Business {
  const business = useContext(BusinessContext);
  if (business === null) throw new Error('useBusiness needs a BusinessProvider above it');
  return business;
}
