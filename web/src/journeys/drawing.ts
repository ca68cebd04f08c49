import type { DrawnStep } from '../api/journey-hooks.ts';

/**
 * Where the boxes and arrows of a journey stand: a row per distance from the first step, so that
 * time goes downwards. Pure; the numbers are pixels of an SVG.
 */
export type Box = { name: string; do: string; about: string; x: number; y: number };
export type Arrow = { key: string; label: string; path: string; x: number; y: number };
export type Drawing = { width: number; height: number; boxes: Box[]; arrows: Arrow[] };

export const BOX = { width: 176, height: 52 } as const;
const GAP = { x: 28, y: 72 } as const;
const EDGE = 12;
const LABEL_LINES = 4;
const END = 'end';

export function drawJourney(steps: readonly DrawnStep[]): Drawing {
  const rows = rowsOf(steps);
  const widest = Math.max(1, ...rows.map((row) => row.length));
  const width = EDGE * 2 + widest * BOX.width + (widest - 1) * GAP.x + 40;
  const byName = new Map(steps.map((step) => [step.name, step]));
  const boxes = rows.flatMap((row, depth) =>
    row.map((name, column): Box => {
      const rowWidth = row.length * BOX.width + (row.length - 1) * GAP.x;
      const step = byName.get(name);
      return {
        name,
        do: step?.do ?? END,
        about: step?.about ?? 'the run is over',
        x: (width - rowWidth) / 2 + column * (BOX.width + GAP.x),
        y: EDGE + depth * (BOX.height + GAP.y),
      };
    }),
  );
  const height = EDGE * 2 + rows.length * BOX.height + Math.max(0, rows.length - 1) * GAP.y;
  return { width, height, boxes, arrows: arrowsOf(steps, boxes) };
}

/** Steps by their distance from the first one; what nothing leads to stands last. */
function rowsOf(steps: readonly DrawnStep[]): string[][] {
  const [first] = steps;
  if (first === undefined) return [];
  const depths = new Map<string, number>([[first.name, 0]]);
  const open = [first.name];
  for (let name = open.shift(); name !== undefined; name = open.shift()) {
    const step = steps.find((each) => each.name === name);
    for (const { to } of step?.ways ?? []) {
      if (depths.has(to)) continue;
      depths.set(to, (depths.get(name) ?? 0) + 1);
      open.push(to);
    }
  }
  const last = Math.max(...depths.values());
  for (const { name } of steps) if (!depths.has(name)) depths.set(name, last + 1);
  // The end comes after everything, however early a way leads there.
  if (depths.has(END)) depths.set(END, Math.max(...depths.values()) + 1);
  const rows: string[][] = [];
  for (const [name, depth] of depths) (rows[depth] ??= []).push(name);
  return rows.filter((row) => row.length > 0);
}

function arrowsOf(steps: readonly DrawnStep[], boxes: readonly Box[]): Arrow[] {
  const at = new Map(boxes.map((box) => [box.name, box]));
  return steps.flatMap((step) => {
    const targets = Map.groupBy(step.ways, ({ to }) => to);
    return [...targets].flatMap(([to, ways], index): Arrow[] => {
      const from = at.get(step.name);
      const target = at.get(to);
      if (from === undefined || target === undefined) return [];
      const said = ways.map(({ by }) => by).filter((by) => by !== 'next' || targets.size > 1);
      const startX = from.x + (BOX.width * (index + 1)) / (targets.size + 1);
      const place = pathOf({ x: startX, y: from.y }, target, index);
      return [{ key: `${step.name} ${to}`, label: said.join(', '), ...place }];
    });
  });
}

/** Down to a later row as a curve; up to an earlier one around the side. */
function pathOf(
  from: { x: number; y: number },
  to: Box,
  index: number,
): Pick<Arrow, 'path' | 'x' | 'y'> {
  const startY = from.y + BOX.height;
  const endX = to.x + BOX.width / 2;
  // Words of neighbours would lie on each other: each has a line of its own.
  const label = { x: from.x, y: startY + 12 + (index % LABEL_LINES) * 11 };
  if (to.y > from.y) {
    const middle = (startY + to.y) / 2;
    const path = `M${from.x},${startY} C${from.x},${middle} ${endX},${middle} ${endX},${to.y}`;
    return { path, ...label };
  }
  const side = Math.max(from.x, to.x + BOX.width) + BOX.width / 2;
  const path = `M${from.x},${startY} C${side},${startY + 40} ${side},${to.y - 40} ${endX},${to.y}`;
  return { path, ...label };
}
