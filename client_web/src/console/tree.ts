/** Units as the tree that a page lists. Pure. */
import type { Unit } from '../core/wire';

export interface Branch {
  unit: Unit;
  depth: number;
}

/**
 * Every unit once, children under their parent, siblings as they came.
 * A unit whose parent is not among them (outside the reader's scope, or on another page) stands at the top.
 */
export function treeOf(units: readonly Unit[]): Branch[] {
  const known = new Set(units.map((unit) => unit.code));
  const children = new Map<string | null, Unit[]>();
  for (const unit of units) {
    const parent = unit.parent && known.has(unit.parent) ? unit.parent : null;
    children.set(parent, [...(children.get(parent) ?? []), unit]);
  }
  const listed: Branch[] = [];
  const waiting: Branch[] = branches(children.get(null), 0);
  for (let branch = waiting.pop(); branch; branch = waiting.pop()) {
    listed.push(branch);
    waiting.push(...branches(children.get(branch.unit.code), branch.depth + 1));
  }
  return listed;
}

/** In reverse, because the next to list is taken from the end. */
function branches(units: readonly Unit[] = [], depth: number): Branch[] {
  return units.map((unit) => ({ unit, depth })).reverse();
}
