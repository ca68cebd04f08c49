import type {
  ControlError,
  PersonAction,
  PhoneSession,
  SimPerson,
  SimulatorState,
} from '../../../simulator/control-types.ts';

/** The simulator's control API: what the customer's phone does. Errors carry message and fix. */
export type SimulatorClient = {
  baseUrl: string;
  state(): Promise<SimulatorState>;
  act(number: string, action: PersonAction): Promise<SimPerson>;
  /** Hands the browser's offer to the person's phone and brings back the answer. */
  attachPhone(number: string, offer: PhoneSession): Promise<PhoneSession>;
};

export class SimulatorError extends Error {
  readonly fix: string;

  constructor(message: string, fix: string) {
    super(message);
    this.name = 'SimulatorError';
    this.fix = fix;
  }
}

export function makeSimulatorClient(baseUrl: string): SimulatorClient {
  const send = async <T>(path: string, body?: unknown): Promise<T> => {
    const init: RequestInit =
      body === undefined
        ? { cache: 'no-store' }
        : {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify(body),
          };
    const answer = await fetch(baseUrl + path, init).catch(() => {
      throw new SimulatorError(`The simulator at ${baseUrl} does not answer.`, 'Run npm start.');
    });
    const value: unknown = await answer.json().catch(() => null);
    if (answer.ok) return value as T;
    const error = (value as Partial<ControlError> | null)?.error;
    throw new SimulatorError(
      error?.message ?? `The simulator answered ${answer.status}.`,
      error?.fix ?? 'Look at the log of the simulator.',
    );
  };
  const personPath = (number: string): string => `/simulator/people/${encodeURIComponent(number)}`;
  return {
    baseUrl,
    state: () => send('/simulator/state'),
    act: (number, action) => send(`${personPath(number)}/actions`, action),
    attachPhone: (number, offer) => send(`${personPath(number)}/phone`, offer),
  };
}
