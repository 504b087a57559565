//! zlib's formats and Brotli, a step at a time, so that whoever asks decides how large a result may become.

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use rquickjs::{ArrayBuffer, Class, Ctx, Object};

use crate::{Bytes, Refusal, buffer, define, reserve, unknown, view};

/// By how much a result grows at least.
const GROWTH: usize = 16 << 10;

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

pub struct Zlib {
    engine: Engine,
    /// How much of the last input was taken.
    consumed: usize,
    has_ended: bool,
}

enum Engine {
    Deflate(Box<Compress>),
    Inflate(Box<Inflate>),
    Brotli(Box<BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>>),
}

struct Inflate {
    stream: Decompress,
    /// Bytes may be of gzip or of zlib: the first ones tell.
    is_undecided: bool,
    /// The first byte of one that is undecided, if it came alone.
    is_gzip: bool,
    window_bits: u8,
    dictionary: Vec<u8>,
}

/// What happened to the input given.
enum Progress {
    /// It is used up, or there is no more room.
    Going,
    Ended,
}

impl Zlib {
    fn new(format: &str, level: i32, window_bits: u8, dictionary: &[u8]) -> Result<Zlib, Refusal> {
        let window_bits = window_bits.clamp(9, 15);
        // -1 is zlib's default.
        let level = Compression::new(u32::try_from(level).map_or(6, |level| level.min(9)));
        let deflate = |stream: Compress| Engine::Deflate(Box::new(stream));
        let inflate = |stream, is_gzip, is_undecided| {
            Engine::Inflate(Box::new(Inflate { stream, is_gzip, is_undecided, window_bits, dictionary: dictionary.to_vec() }))
        };
        let mut engine = match format {
            "gzip" => deflate(Compress::new_gzip(level, window_bits)),
            "deflate" => deflate(Compress::new_with_window_bits(level, true, window_bits)),
            "deflate-raw" => deflate(Compress::new_with_window_bits(level, false, window_bits)),
            "gunzip" => inflate(Decompress::new_gzip(window_bits), true, false),
            "inflate" => inflate(Decompress::new_with_window_bits(true, window_bits), false, false),
            "inflate-raw" => inflate(Decompress::new_with_window_bits(false, window_bits), false, false),
            "unzip" => inflate(Decompress::new_with_window_bits(true, window_bits), false, true),
            "brotli-decompress" => {
                let memory = StandardAlloc::default;
                Engine::Brotli(Box::new(BrotliState::new_strict(memory(), memory(), memory())))
            }
            _ => return Err(unknown("format", format)),
        };
        let bad_dictionary = |_| Refusal::new("Z_DATA_ERROR", "Bad dictionary");
        match &mut engine {
            Engine::Deflate(stream) if !dictionary.is_empty() => drop(stream.set_dictionary(dictionary).map_err(|_| bad_dictionary(()))?),
            Engine::Inflate(inflate) if !dictionary.is_empty() && format == "inflate-raw" => {
                inflate.stream.set_dictionary(dictionary).map_err(|_| bad_dictionary(()))?;
            }
            _ => {}
        }
        Ok(Zlib { engine, consumed: 0, has_ended: false })
    }

    /// Takes of the input and makes of the output as much as there is, and at most `limit` bytes.
    fn step(&mut self, input: &[u8], flush: u8, limit: usize) -> Result<Vec<u8>, Refusal> {
        let mut output = Vec::new();
        self.consumed = 0;
        while !self.has_ended && output.len() < limit {
            let growth = GROWTH.max(output.len()).min(limit - output.len());
            reserve(&mut output, growth)?;
            let rest = &input[self.consumed..];
            let produced = output.len();
            let (taken, progress) = match &mut self.engine {
                Engine::Deflate(stream) => deflate(stream, rest, flush, &mut output)?,
                Engine::Inflate(inflate) => inflate.step(rest, &mut output)?,
                Engine::Brotli(state) => brotli(state, rest, &mut output, growth)?,
            };
            self.consumed += taken;
            self.has_ended = matches!(progress, Progress::Ended);
            if output.len() < output.capacity() && (taken == rest.len() || (taken == 0 && output.len() == produced)) {
                break;
            }
        }
        Ok(output)
    }
}

fn deflate(stream: &mut Compress, input: &[u8], flush: u8, output: &mut Vec<u8>) -> Result<(usize, Progress), Refusal> {
    let flush = match flush {
        0 => FlushCompress::None,
        1 => FlushCompress::Partial,
        2 => FlushCompress::Sync,
        3 => FlushCompress::Full,
        _ => FlushCompress::Finish,
    };
    let before = stream.total_in();
    let status = stream
        .compress_vec(input, output, flush)
        .map_err(|error| Refusal::new("Z_STREAM_ERROR", error.message().unwrap_or("stream error")))?;
    let progress = if status == Status::StreamEnd { Progress::Ended } else { Progress::Going };
    Ok(((stream.total_in() - before) as usize, progress))
}

impl Inflate {
    fn step(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<(usize, Progress), Refusal> {
        if self.is_undecided && !input.is_empty() {
            self.is_undecided = false;
            self.is_gzip = input[0] == GZIP_MAGIC[0];
            if self.is_gzip {
                self.stream = Decompress::new_gzip(self.window_bits);
            }
        }
        let before = self.stream.total_in();
        let result = self.stream.decompress_vec(input, output, FlushDecompress::None);
        let mut taken = (self.stream.total_in() - before) as usize;
        match result {
            Ok(Status::StreamEnd) => {
                let rest = &input[taken..];
                // More of the same may follow in one file; zeros that fill a block may, too.
                if !self.is_gzip || rest.first().is_none_or(|byte| *byte == 0) {
                    taken = input.len();
                    return Ok((taken, Progress::Ended));
                }
                self.stream = Decompress::new_gzip(self.window_bits);
                Ok((taken, Progress::Going))
            }
            Ok(Status::Ok | Status::BufError) => Ok((taken, Progress::Going)),
            Err(error) if error.needs_dictionary().is_some() => {
                if self.dictionary.is_empty() {
                    return Err(Refusal::new("Z_NEED_DICT", "Missing dictionary"));
                }
                let dictionary = std::mem::take(&mut self.dictionary);
                self.stream.set_dictionary(&dictionary).map_err(|_| Refusal::new("Z_NEED_DICT", "Bad dictionary"))?;
                Ok((taken, Progress::Going))
            }
            Err(error) => Err(Refusal::new("Z_DATA_ERROR", error.message().unwrap_or("invalid data"))),
        }
    }
}

fn brotli(
    state: &mut BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>,
    input: &[u8],
    output: &mut Vec<u8>,
    growth: usize,
) -> Result<(usize, Progress), Refusal> {
    let (mut available_in, mut taken) = (input.len(), 0);
    let (start, mut produced, mut total) = (output.len(), 0, 0);
    output.resize(start + growth, 0);
    let mut available_out = growth;
    let room = &mut output[start..];
    let result = BrotliDecompressStream(&mut available_in, &mut taken, input, &mut available_out, &mut produced, room, &mut total, state);
    output.truncate(start + produced);
    match result {
        BrotliResult::ResultSuccess => Ok((taken, Progress::Ended)),
        BrotliResult::NeedsMoreInput | BrotliResult::NeedsMoreOutput => Ok((taken, Progress::Going)),
        BrotliResult::ResultFailure => Err(Refusal::new("ERR_BROTLI_DECODER", "Decompression failed")),
    }
}

pub fn install(native: &Object<'_>) -> rquickjs::Result<()> {
    define(native, "zlib", zlib)?;
    define(native, "zlibStep", step)?;
    define(native, "zlibConsumed", |zlib: Class<'_, Zlib>| zlib.borrow().consumed)?;
    define(native, "zlibHasEnded", |zlib: Class<'_, Zlib>| zlib.borrow().has_ended)
}

fn zlib<'js>(cx: Ctx<'js>, format: String, level: i32, window_bits: u8, dictionary: Bytes<'js>) -> rquickjs::Result<Class<'js, Zlib>> {
    let zlib = Zlib::new(&format, level, window_bits, view(&dictionary)).map_err(|refusal| refusal.throw(&cx))?;
    Class::instance(cx, zlib)
}

fn step<'js>(cx: Ctx<'js>, zlib: Class<'js, Zlib>, input: Bytes<'js>, flush: u8, limit: usize) -> rquickjs::Result<ArrayBuffer<'js>> {
    let output = zlib.borrow_mut().step(view(&input), flush, limit).map_err(|refusal| refusal.throw(&cx))?;
    buffer(&cx, output)
}
