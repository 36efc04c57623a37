/** This device's pairing: the bearer token that it got, kept in the browser until it is ended. */
import { erase, keep, recall } from '../core/kept';
import type { DeviceKind, Paired } from '../core/wire';

const KEY = 'diemcau_device';

export interface Device extends Paired {
  /** The name that its person gave it. */
  name: string;
}

export function savedDevice(): Device | null {
  try {
    const saved: unknown = JSON.parse(localStorage.getItem(KEY) ?? 'null');
    return isDevice(saved) ? saved : null;
  } catch {
    return null;
  }
}

/** False where the browser keeps nothing: a code would be used up and its token gone with the page. */
export function canKeepDevice(): boolean {
  try {
    localStorage.setItem(`${KEY}_probe`, '');
    localStorage.removeItem(`${KEY}_probe`);
    return true;
  } catch {
    return false;
  }
}

/** Keeps the pairing twice: where every page reads it at once, and where a power cut leaves it. */
export async function saveDevice(device: Device): Promise<void> {
  localStorage.setItem(KEY, JSON.stringify(device));
  await keep('device', device);
}

/** The pairing, also when a power cut took what the browser had not written yet. */
export async function restoredDevice(): Promise<Device | null> {
  const saved = savedDevice() ?? (await recall<Device>('device'));
  if (!isDevice(saved)) return null;
  localStorage.setItem(KEY, JSON.stringify(saved));
  return saved;
}

export async function forgetDevice(): Promise<void> {
  localStorage.removeItem(KEY);
  await erase('device');
}

/** Calls back when another page of this browser pairs this device anew, or ends it. */
export function onDeviceChange(run: () => void): void {
  addEventListener('storage', ({ key }) => key === KEY && run());
}

/** The page for a kind of device. */
export function pageOf(kind: DeviceKind): '/display' | '/operator' {
  return kind === 'display' ? '/display' : '/operator';
}

function isDevice(saved: unknown): saved is Device {
  return typeof saved === 'object' && saved !== null && 'token' in saved && typeof saved.token === 'string';
}
