//! What JavaScript would do too slowly: hashing, ciphers, signatures, compression, collation. `guest-sdk/node/layer/src/node` makes
//! Node's modules of these functions, and `layer/src/intl` Intl. Bytes come as `Uint8Array`, which the layer makes sure of, and go as `ArrayBuffer`.

mod cipher;
mod compress;
mod ec;
mod hash;
mod intl;
mod kdf;
mod key;
mod long;
mod mac;
mod random;
mod rsa;
mod sign;

pub use long::{Compress, Family};

use rquickjs::class::{JsClass, Trace, Tracer, Writable};
use rquickjs::function::{Constructor, IntoJsFunc};
use rquickjs::{ArrayBuffer, Ctx, Exception, FromJs, Function, JsLifetime, Object, TypedArray, Value};

/// A `Uint8Array` that a function was given.
struct Bytes<'js>(TypedArray<'js, u8>);

impl<'js> FromJs<'js> for Bytes<'js> {
    // Once in the code, and not once for each argument of each function.
    #[inline(never)]
    fn from_js(_: &Ctx<'js>, value: Value<'js>) -> rquickjs::Result<Self> {
        TypedArray::from_value(value).map(Bytes)
    }
}

pub use intl::ReadFile;

/// Adds the functions to `native`. Those that need randomness draw it from `next_u64`, those that need files read them by
/// `read_file`, and what is long is hashed by `compress`.
pub fn install(native: &Object<'_>, next_u64: fn() -> u64, read_file: ReadFile, compress: Compress) -> rquickjs::Result<()> {
    random::SOURCE.set(next_u64);
    long::COMPRESS.set(compress);
    hash::install(native)?;
    mac::install(native)?;
    kdf::install(native)?;
    cipher::install(native)?;
    key::install(native)?;
    sign::install(native)?;
    compress::install(native)?;
    intl::install(native, read_file)
}

fn define<'js, P>(native: &Object<'js>, name: &str, function: impl IntoJsFunc<'js, P> + 'js) -> rquickjs::Result<()> {
    native.set(name, Function::new(native.ctx().clone(), function)?)
}

/// The bytes of an array, or none if its buffer was taken away.
#[inline(never)]
fn view<'a>(bytes: &'a Bytes<'_>) -> &'a [u8] {
    // SAFETY: no JavaScript runs before the function that was given the array returns.
    unsafe { bytes.0.as_bytes() }.unwrap_or_default()
}

#[inline(never)]
fn buffer<'js>(cx: &Ctx<'js>, bytes: Vec<u8>) -> rquickjs::Result<ArrayBuffer<'js>> {
    ArrayBuffer::new(cx.clone(), bytes)
}

/// Why an operation is refused: Node's code of the error, and its message.
#[derive(Debug)]
struct Refusal {
    code: &'static str,
    message: String,
}

impl Refusal {
    fn new(code: &'static str, message: impl Into<String>) -> Refusal {
        Refusal { code, message: message.into() }
    }

    #[inline(never)]
    fn throw(self, cx: &Ctx<'_>) -> rquickjs::Error {
        let error = Exception::from_message(cx.clone(), &self.message).and_then(|error| {
            error.set("code", self.code)?;
            Ok(error)
        });
        match error {
            Ok(error) => error.throw(),
            Err(error) => error,
        }
    }
}

/// What the layer never asks for, as it knows the names.
fn unknown(what: &str, name: &str) -> Refusal {
    Refusal::new("ERR_INTERNAL_ASSERTION", format!("there is no {what} {name}"))
}

/// Room for so many bytes, or an error that JavaScript can catch: what allocates without asking ends the call.
fn room(bytes: usize) -> Result<Vec<u8>, Refusal> {
    let mut room = Vec::new();
    reserve(&mut room, bytes)?;
    Ok(room)
}

fn reserve(bytes: &mut Vec<u8>, more: usize) -> Result<(), Refusal> {
    bytes.try_reserve(more).map_err(|_| Refusal::new("ERR_MEMORY_ALLOCATION_FAILED", "the memory limit leaves no room for the result"))
}

/// Makes of a Rust type something that JavaScript holds and gives back.
macro_rules! held {
    ($type:ident) => {
        impl<'js> Trace<'js> for $type {
            fn trace<'a>(&self, _: Tracer<'a, 'js>) {}
        }

        // SAFETY: nothing of JavaScript's is in it.
        unsafe impl<'js> JsLifetime<'js> for $type {
            type Changed<'to> = $type;
        }

        impl<'js> JsClass<'js> for $type {
            const NAME: &'static str = stringify!($type);
            type Mutable = Writable;

            fn constructor(_: &Ctx<'js>) -> rquickjs::Result<Option<Constructor<'js>>> {
                Ok(None)
            }
        }
    };
}

use cipher::Cipher;
use compress::Zlib;
use hash::Hasher;
use intl::collation::Collator;
use intl::segmentation::Segmenter;
use intl::zone::Zone;
use key::Key;
use mac::Mac;

held!(Cipher);
held!(Collator);
held!(Hasher);
held!(Key);
held!(Mac);
held!(Segmenter);
held!(Zlib);
held!(Zone);
