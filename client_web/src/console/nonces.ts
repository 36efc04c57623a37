/** Names of corrections (the server's nonces), so that a retry after a lost answer repeats nothing. */
import { newNonce } from '../core/nonce';

/** Gives the same nonce for as long as the same is asked for, another once it differs. */
export function nonceKeeper(make: () => string = newNonce): (what: unknown) => string {
  let asked = '';
  let nonce = '';
  return (what) => {
    const now = JSON.stringify(what);
    if (nonce === '' || now !== asked) {
      asked = now;
      nonce = make();
    }
    return nonce;
  };
}
