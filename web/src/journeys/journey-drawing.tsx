import { useMemo } from 'react';
import type { DrawnStep } from '../api/journey-hooks.ts';
import { BOX, drawJourney, type Box } from './drawing.ts';

const LETTERS_MAX = 27;

/** The journey as boxes and arrows; the same is read out as a list. */
export function JourneyDrawing(props: { name: string; steps: readonly DrawnStep[] }) {
  const drawing = useMemo(() => drawJourney(props.steps), [props.steps]);
  const { width, height, boxes, arrows } = drawing;
  return (
    <section
      aria-label={`Diagram of ${props.name}`}
      // It may be wider than the card, and who has no mouse must be able to scroll it.
      tabIndex={0}
      className="max-h-160 overflow-auto rounded-xl border border-edge bg-sunk"
    >
      <svg
        width={width}
        height={height}
        viewBox={`0 0 ${width} ${height}`}
        className="mx-auto block text-edge-strong"
        aria-hidden
      >
        <Tip />
        {arrows.map(({ key, path }) => (
          <path key={key} d={path} fill="none" stroke="currentColor" markerEnd="url(#tip)" />
        ))}
        {boxes.map((box) => (
          <BoxShape key={box.name} box={box} />
        ))}
        {arrows.map(({ key, label, x, y }) => (
          <text key={key} x={x + 4} y={y} className="fill-muted text-[0.65rem]">
            {label}
          </text>
        ))}
      </svg>
      <ol className="sr-only">
        {props.steps.map(({ name, about, ways }) => (
          <li key={name}>
            {name}: {about}. {ways.map(({ by, to }) => `${by} leads to ${to}`).join('; ')}
          </li>
        ))}
      </ol>
    </section>
  );
}

/** The point of every arrow. */
function Tip() {
  return (
    <defs>
      <marker
        id="tip"
        viewBox="0 0 8 8"
        refX="7"
        refY="4"
        markerWidth="8"
        markerHeight="8"
        orient="auto"
      >
        <path d="M0,0 L8,4 L0,8 z" fill="currentColor" />
      </marker>
    </defs>
  );
}

function BoxShape(props: { box: Box }) {
  const { name, do: kind, about, x, y } = props.box;
  return (
    <g transform={`translate(${x} ${y})`}>
      <rect
        width={BOX.width}
        height={BOX.height}
        rx={kind === 'end' ? BOX.height / 2 : 8}
        className={kind === 'call' ? 'fill-accent-soft' : 'fill-card'}
        stroke="currentColor"
      />
      <text x={BOX.width / 2} y={21} textAnchor="middle" className="fill-ink text-xs font-bold">
        {cut(name)}
      </text>
      <text x={BOX.width / 2} y={38} textAnchor="middle" className="fill-muted text-[0.65rem]">
        {cut(about)}
      </text>
    </g>
  );
}

function cut(text: string): string {
  return text.length <= LETTERS_MAX ? text : `${text.slice(0, LETTERS_MAX - 1)}…`;
}
