/**
 * For a request that met no route: which methods its path would have taken, and which route its
 * writer most likely meant. Pure, so that the 404 of a typing error can be tested as a table.
 */
export type KnownRoute = { method: string; path: string };

/** Methods that some route takes for this very path. */
export function methodsFor(routes: readonly KnownRoute[], path: string): string[] {
  const methods = routes.filter((route) => matches(route.path, path)).map(({ method }) => method);
  return [...new Set(methods)].sort();
}

/** The route whose path is fewest edits away, if any is near enough to be a help. */
export function nearestRoute(
  routes: readonly KnownRoute[],
  method: string,
  path: string,
): KnownRoute | undefined {
  const wanted = path.slice(0, PATH_MAX);
  let best: { route: KnownRoute; distance: number } | undefined;
  for (const route of routes) {
    // Another method is a smaller mistake than another path, but a mistake.
    const distance = pathDistance(route.path, wanted) + (route.method === method ? 0 : 1);
    if (best === undefined || distance < best.distance) best = { route, distance };
  }
  if (best === undefined || best.distance > Math.max(3, best.route.path.length / 3))
    return undefined;
  return best.route;
}

/** A stranger chooses the path, and edit distance costs its length squared. */
const PATH_MAX = 200;

function matches(template: string, path: string): boolean {
  const wanted = template.split('/');
  const given = path.split('/');
  return (
    wanted.length === given.length &&
    wanted.every((step, i) => (step.startsWith(':') ? given[i] !== '' : step === given[i]))
  );
}

/** Edits between template and path; a parameter matches any one step. */
function pathDistance(template: string, path: string): number {
  const given = path.split('/');
  const filled = template
    .split('/')
    .map((step, i) => (step.startsWith(':') ? (given[i] ?? step) : step))
    .join('/');
  return editDistance(filled, path);
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1;
      next.push(Math.min((next[j - 1] ?? 0) + 1, (row[j] ?? 0) + 1, (row[j - 1] ?? 0) + change));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
