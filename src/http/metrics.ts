import { collectDefaultMetrics, Histogram, Registry } from 'prom-client';

/** Metrics of the process and of HTTP, in a registry of their own so that tests stay apart. */
export type HttpMetrics = {
  readonly registry: Registry;
  /** `route` is the template of the route: labels hold no ids and no numbers. */
  observe(method: string, route: string, status: number, seconds: number): void;
};

/** Loop lag, memory and garbage collection come from prom-client's own set. */
export function makeHttpMetrics(): HttpMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const durations = new Histogram({
    name: 'askfirst_http_request_duration_seconds',
    help: 'Time from the first byte of a request to the end of its answer.',
    labelNames: ['method', 'route', 'status_class'] as const,
    // The goals are 50 ms for reads and 100 ms for dials; both have an edge of their own.
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30],
    registers: [registry],
  });
  return {
    registry,
    observe(method, route, status, seconds) {
      const statusClass = `${Math.floor(status / 100)}xx`;
      durations.observe({ method, route, status_class: statusClass }, seconds);
    },
  };
}
