/** The functions of the engine (`realm.rs`), given to `boot`. */
export let native;

export function bindNative(given) {
  native = given;
}
