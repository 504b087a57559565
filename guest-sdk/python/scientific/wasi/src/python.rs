//! CPython, by the functions of its C API that this needs. They are no exports of the engine's module: the linker finds them by
//! the names that it has for them.

use core::{
    ffi::{CStr, c_void},
    ptr::{NonNull, null, null_mut},
};

use ground::host;

/// A reference to an object. References are never given back: an instance lives for one call.
pub type Object = NonNull<c_void>;

pub type Function = unsafe extern "C" fn(*mut c_void, *const Object, usize) -> Option<Object>;

/// `PyMethodDef`.
#[repr(C)]
pub struct Method {
    name: *const i8,
    function: Option<Function>,
    flags: u32,
    documentation: *const i8,
}

// SAFETY: what it points to is constant.
unsafe impl Sync for Method {}

impl Method {
    /// Ends a list of them.
    pub const END: Method = Method { name: null(), function: None, flags: 0, documentation: null() };

    pub const fn new(name: &'static CStr, function: Function) -> Method {
        const FASTCALL: u32 = 0x80;
        Method { name: name.as_ptr().cast(), function: Some(function), flags: FASTCALL, documentation: null() }
    }
}

/// `PyConfig`, of which only the places of a few fields are known.
#[repr(C, align(8))]
struct Config([u8; Config::BYTES]);

// Checked against the very build that this is linked with: whoever fetches that one checks its digest.
impl Config {
    /// More than it has.
    const BYTES: usize = 512;
    const USE_HASH_SEED: usize = 20;
    const HASH_SEED: usize = 24;
    const PARSE_ARGV: usize = 84;
    const SITE_IMPORT: usize = 120;
    const WRITE_BYTECODE: usize = 148;
    const PROGRAM_NAME: usize = 216;
    const MODULE_SEARCH_PATHS_SET: usize = 232;
    const MODULE_SEARCH_PATHS: usize = 236;
    const STDLIB_DIR: usize = 244;

    fn set(&mut self, field: usize, value: u32) {
        self.0[field..field + 4].copy_from_slice(&value.to_le_bytes());
    }

    fn field(&mut self, field: usize) -> *mut c_void {
        self.0[field..].as_mut_ptr().cast()
    }
}

/// `PyStatus`.
#[repr(C)]
struct Status([u32; 4]);

#[link(wasm_import_module = "engine")]
unsafe extern "C" {
    fn PyConfig_InitIsolatedConfig(config: *mut Config);
    fn PyConfig_SetString(status: *mut Status, config: *mut Config, field: *mut c_void, text: *const u32);
    fn PyWideStringList_Append(status: *mut Status, list: *mut c_void, text: *const u32);
    fn Py_InitializeFromConfig(status: *mut Status, config: *const Config);
    fn PyStatus_Exception(status: *const Status) -> u32;
    fn PyThreadState_Get() -> *mut c_void;
    fn PyUnstable_ThreadState_SetStackProtection(thread: *mut c_void, start: usize, bytes: usize) -> i32;

    fn PyImport_AddModuleRef(name: *const i8) -> Option<Object>;
    fn PyModule_AddFunctions(module: Object, methods: *const Method) -> i32;
    fn PyImport_ImportModule(name: *const i8) -> Option<Object>;
    fn PyObject_GetAttrString(object: Object, name: *const i8) -> Option<Object>;
    fn PyObject_Vectorcall(callable: Object, arguments: *const Object, flags: usize, names: *mut c_void) -> Option<Object>;
    fn PyErr_Print();

    fn PyUnicode_FromStringAndSize(start: *const u8, len: usize) -> Option<Object>;
    fn PyUnicode_AsUTF8AndSize(text: Object, len: *mut usize) -> *const u8;
    fn PyLong_FromUnsignedLongLong(number: u64) -> Option<Object>;
    fn PyLong_AsUnsignedLongLong(number: Object) -> u64;
    fn PyTuple_GetItem(tuple: Object, index: usize) -> Option<Object>;
    fn PyTuple_New(len: usize) -> Option<Object>;
    fn PyTuple_SetItem(tuple: Object, index: usize, item: Object) -> i32;
    fn PyList_Size(list: Object) -> isize;
    fn PyList_GetItem(list: Object, index: usize) -> Option<Object>;
}

/// The interpreter cannot go on. It says why.
fn fail() -> ! {
    // SAFETY: after a function of the C API has failed.
    unsafe { PyErr_Print() };
    core::arch::wasm32::unreachable()
}

pub fn checked(object: Option<Object>) -> Object {
    object.unwrap_or_else(|| fail())
}

/// C's `wchar_t` of ASCII.
const fn wide<const N: usize>(text: &[u8; N]) -> [u32; N] {
    let mut wide = [0; N];
    let mut at = 0;
    while at < N {
        wide[at] = text[at] as u32;
        at += 1;
    }
    wide
}

static LIBRARY: [u32; 8] = wide(b"/python\0");
static PROGRAM: [u32; 7] = wide(b"python\0");

/// Where the C stack of the engine begins, and how much of it Python may use. What limits recursion is wasm's own stack, of which
/// the same code uses several times as much; so the limit here is what the builder of this CPython has chosen for it.
const STACK_TOP: usize = 16 << 20;
const STACK_BYTES: usize = 128 << 10;

/// Starts the interpreter. `methods` become the module `_mirra`.
pub fn start(methods: &'static [Method]) {
    let mut config = Config([0; Config::BYTES]);
    // SAFETY: as the C API says; `Config` is large enough, and its fields lie where they are looked for.
    unsafe {
        PyConfig_InitIsolatedConfig(&mut config);
        // The secret of hashes is in the image, whatever it is; this makes an image the same each time.
        config.set(Config::USE_HASH_SEED, 1);
        config.set(Config::HASH_SEED, 0);
        config.set(Config::PARSE_ARGV, 0);
        config.set(Config::SITE_IMPORT, 0);
        config.set(Config::WRITE_BYTECODE, 0);
        config.set(Config::MODULE_SEARCH_PATHS_SET, 1);
        let program = config.field(Config::PROGRAM_NAME);
        status(|status| PyConfig_SetString(status, &mut config, program, PROGRAM.as_ptr()));
        let paths = config.field(Config::MODULE_SEARCH_PATHS);
        status(|status| PyWideStringList_Append(status, paths, LIBRARY.as_ptr()));
        let folder = config.field(Config::STDLIB_DIR);
        status(|status| PyConfig_SetString(status, &mut config, folder, LIBRARY.as_ptr()));
        status(|status| Py_InitializeFromConfig(status, &config));
        if PyUnstable_ThreadState_SetStackProtection(PyThreadState_Get(), STACK_TOP - STACK_BYTES, STACK_BYTES) != 0 {
            fail();
        }
        let module = checked(PyImport_AddModuleRef(c"_mirra".as_ptr().cast()));
        if PyModule_AddFunctions(module, methods.as_ptr()) != 0 {
            fail();
        }
    }
}

/// # Safety
/// `call` writes a status to where it is told to.
unsafe fn status(call: impl FnOnce(*mut Status)) {
    let mut status = Status([0; 4]);
    call(&mut status);
    // SAFETY: a status.
    if unsafe { PyStatus_Exception(&status) } != 0 {
        host::write(true, b"CPython does not start");
        core::arch::wasm32::unreachable()
    }
}

/// An attribute of a module, which is imported if need be.
pub fn import(module: &CStr, name: &CStr) -> Object {
    // SAFETY: as the C API says.
    unsafe {
        let module = checked(PyImport_ImportModule(module.as_ptr().cast()));
        checked(PyObject_GetAttrString(module, name.as_ptr().cast()))
    }
}

/// Calls something of the engine's, which lets no exception out.
pub fn call(callable: Object, arguments: &[Object]) -> Object {
    // SAFETY: as the C API says.
    checked(unsafe { PyObject_Vectorcall(callable, arguments.as_ptr(), arguments.len(), null_mut()) })
}

/// # Safety
/// `start` and `len` are those of a text.
pub unsafe fn text_from(start: *const u8, len: usize) -> Object {
    // SAFETY: as the caller says.
    checked(unsafe { PyUnicode_FromStringAndSize(start, len) })
}

/// The bytes of a text, which it keeps.
pub fn bytes_of(text: Object) -> Option<(*const u8, usize)> {
    let mut len = 0;
    // SAFETY: as the C API says; of something else it answers null.
    let start = unsafe { PyUnicode_AsUTF8AndSize(text, &mut len) };
    (!start.is_null()).then_some((start, len))
}

pub fn number(value: u64) -> Option<Object> {
    // SAFETY: as the C API says.
    unsafe { PyLong_FromUnsignedLongLong(value) }
}

pub fn value_of(number: Object) -> u64 {
    // SAFETY: as the C API says.
    unsafe { PyLong_AsUnsignedLongLong(number) }
}

/// An item of a tuple. None: what is given is no tuple.
pub fn item(object: Object, index: usize) -> Option<Object> {
    /// Where every object has its type.
    const TYPE: usize = 4;
    let sample = tuple(&[])?;
    // SAFETY: objects, and a tuple where there is one.
    unsafe {
        let is_tuple = object.byte_add(TYPE).cast::<*mut c_void>().read() == sample.byte_add(TYPE).cast::<*mut c_void>().read();
        if is_tuple { PyTuple_GetItem(object, index) } else { None }
    }
}

pub fn tuple(items: &[Option<Object>]) -> Option<Object> {
    // SAFETY: as the C API says; the tuple takes the references.
    unsafe {
        let tuple = PyTuple_New(items.len())?;
        for (index, item) in items.iter().enumerate() {
            PyTuple_SetItem(tuple, index, (*item)?);
        }
        Some(tuple)
    }
}

pub fn for_each(list: Object, mut body: impl FnMut(Object)) {
    // SAFETY: as the C API says.
    unsafe {
        for index in 0..PyList_Size(list).max(0) as usize {
            body(checked(PyList_GetItem(list, index)));
        }
    }
}
