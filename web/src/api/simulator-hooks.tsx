import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { createContext, useContext, useEffect, useMemo, useState, type ReactNode } from 'react';
import type { PersonAction, SimulatorState } from '../../../simulator/control-types.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { followStream } from './event-stream.ts';
import { makeSimulatorClient, type SimulatorClient } from './simulator-client.ts';

const STATE_KEY = ['simulator', 'state'];

type Simulator = { client: SimulatorClient; live: boolean };

const SimulatorContext = createContext<Simulator | null>(null);

/** Opens the simulator half; without a URL (live operation) there is none, and no phone. */
export function SimulatorProvider(props: { url: string | null; children: ReactNode }) {
  const queryClient = useQueryClient();
  const [live, setLive] = useState(false);
  const client = useMemo(
    () => (props.url === null ? null : makeSimulatorClient(props.url)),
    [props.url],
  );

  useEffect(() => {
    if (client === null) return undefined;
    return followStream({
      url: `${client.baseUrl}/simulator/stream`,
      headers: {},
      clock: systemClock,
      fetch: (...args) => fetch(...args),
      // Each message is the whole state, so there is nothing to ask for.
      onMessage: ({ data }) => {
        queryClient.setQueryData(STATE_KEY, JSON.parse(data) as SimulatorState);
      },
      onLive: setLive,
    });
  }, [client, queryClient]);

  const simulator = useMemo(() => (client === null ? null : { client, live }), [client, live]);
  return <SimulatorContext value={simulator}>{props.children}</SimulatorContext>;
}

/** Null in live operation, where real people hold the phones. */
export function useSimulator(): Simulator | null {
  return useContext(SimulatorContext);
}

export function useSimulatorState() {
  const simulator = useSimulator();
  return useQuery({
    queryKey: STATE_KEY,
    enabled: simulator !== null,
    refetchInterval: simulator?.live === true ? 20_000 : 5_000,
    queryFn: (): Promise<SimulatorState> => {
      if (simulator === null) throw new Error('there is no simulator to ask');
      return simulator.client.state();
    },
  });
}

/** Does something as this person; the answer is the person afterwards, shown at once. */
export function usePersonAction(number: string) {
  const simulator = useSimulator();
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (action: PersonAction) => {
      if (simulator === null) throw new Error('there is no simulator to act in');
      return simulator.client.act(number, action);
    },
    onSuccess(person) {
      queryClient.setQueryData<SimulatorState>(STATE_KEY, (state) =>
        state === undefined
          ? state
          : {
              ...state,
              people: state.people.map((old) => (old.number === person.number ? person : old)),
            },
      );
    },
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['simulator'] }),
  });
}
