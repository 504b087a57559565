"""The module `ssl`, as far as libraries for HTTP need it to be there. TLS is the host's: a context holds settings, and what would
weaken or narrow what the host does is refused rather than ignored."""

import enum
import os

# The name that its classes are known by.
__name__ = "ssl"

_ALWAYS_VERIFIED = "TLS is the host's, which always verifies certificates and names: there is no verify=False in this sandbox"
_AUTHORITIES = "TLS is the host's, which decides what authorities it trusts: certificates of others cannot be loaded"
_NO_CLIENT_CERTIFICATES = "TLS is the host's: a client certificate cannot be loaded"
_NO_SOCKETS = "TLS is the host's, and there are no sockets; requests, httpx and urllib.request work"

# What requests and httpx name where nobody named anything.
_USUAL_AUTHORITIES = "certifi/cacert.pem"

# urllib3 refuses what is not OpenSSL, or an old one.
OPENSSL_VERSION = "OpenSSL 3.0.0 (its names only: TLS is the host's)"
OPENSSL_VERSION_INFO = (3, 0, 0, 0, 0)
OPENSSL_VERSION_NUMBER = 0x30000000
HAS_SNI = HAS_ALPN = HAS_ECDH = HAS_TLSv1_2 = HAS_TLSv1_3 = HAS_NEVER_CHECK_COMMON_NAME = True
HAS_NPN = HAS_SSLv2 = HAS_SSLv3 = HAS_TLSv1 = HAS_TLSv1_1 = False


class SSLError(OSError):
    library = reason = None


class SSLZeroReturnError(SSLError):
    pass


class SSLWantReadError(SSLError):
    pass


class SSLWantWriteError(SSLError):
    pass


class SSLSyscallError(SSLError):
    pass


class SSLEOFError(SSLError):
    pass


class SSLCertVerificationError(SSLError, ValueError):
    pass


CertificateError = SSLCertVerificationError

VerifyMode = enum.IntEnum("VerifyMode", ["CERT_NONE", "CERT_OPTIONAL", "CERT_REQUIRED"], start=0, module="ssl")
VerifyFlags = enum.IntFlag(
    "VerifyFlags",
    {"VERIFY_DEFAULT": 0, "VERIFY_X509_STRICT": 0x20, "VERIFY_X509_TRUSTED_FIRST": 0x8000, "VERIFY_X509_PARTIAL_CHAIN": 0x80000},
    module="ssl",
)
Options = enum.IntFlag(
    "Options",
    {
        "OP_ALL": 0x80000050,
        "OP_NO_SSLv2": 0,
        "OP_NO_SSLv3": 0x2000000,
        "OP_NO_TLSv1": 0x4000000,
        "OP_NO_TLSv1_1": 0x10000000,
        "OP_NO_TICKET": 0x4000,
        "OP_NO_COMPRESSION": 0x20000,
        "OP_NO_RENEGOTIATION": 0x40000000,
        "OP_IGNORE_UNEXPECTED_EOF": 0x80,
    },
    module="ssl",
)
TLSVersion = enum.IntEnum(
    "TLSVersion",
    {"MINIMUM_SUPPORTED": -2, "SSLv3": 768, "TLSv1": 769, "TLSv1_1": 770, "TLSv1_2": 771, "TLSv1_3": 772, "MAXIMUM_SUPPORTED": -1},
    module="ssl",
)
_SSLMethod = enum.IntEnum(
    "_SSLMethod",
    {"PROTOCOL_TLS": 2, "PROTOCOL_SSLv23": 2, "PROTOCOL_TLSv1_2": 5, "PROTOCOL_TLS_CLIENT": 16, "PROTOCOL_TLS_SERVER": 17},
    module="ssl",
)
Purpose = enum.Enum("Purpose", ["SERVER_AUTH", "CLIENT_AUTH"], module="ssl")
for _names in VerifyMode, VerifyFlags, Options, _SSLMethod:
    globals().update(_names.__members__)


class SSLContext:
    sslsocket_class = sslobject_class = None
    keylog_filename = sni_callback = None
    post_handshake_auth = False

    def __init__(self, protocol=PROTOCOL_TLS_CLIENT):  # noqa: F821
        self.protocol = protocol
        self.options = OP_ALL | OP_NO_SSLv3  # noqa: F821
        self.verify_flags = VERIFY_DEFAULT  # noqa: F821
        self.minimum_version = TLSVersion.TLSv1_2
        self.maximum_version = TLSVersion.MAXIMUM_SUPPORTED

    @property
    def verify_mode(self):
        return VerifyMode.CERT_REQUIRED

    @verify_mode.setter
    def verify_mode(self, mode):
        if mode != VerifyMode.CERT_REQUIRED:
            raise SSLError(_ALWAYS_VERIFIED)

    @property
    def check_hostname(self):
        return True

    @check_hostname.setter
    def check_hostname(self, value):
        if not value:
            raise SSLError(_ALWAYS_VERIFIED)

    def load_default_certs(self, purpose=Purpose.SERVER_AUTH):
        pass

    set_default_verify_paths = load_default_certs

    def load_verify_locations(self, cafile=None, capath=None, cadata=None):
        _check_authorities(cafile, capath, cadata)

    def load_cert_chain(self, *args, **kwargs):
        raise SSLError(_NO_CLIENT_CERTIFICATES)

    def get_ca_certs(self, binary_form=False):
        return []

    def cert_store_stats(self):
        return {"x509": 0, "crl": 0, "x509_ca": 0}

    def get_ciphers(self):
        return []

    def set_ciphers(self, ciphers):
        pass

    def set_alpn_protocols(self, protocols):
        pass

    def session_stats(self):
        return {}

    def wrap_socket(self, *args, **kwargs):
        raise SSLError(_NO_SOCKETS)

    wrap_bio = wrap_socket


class _Never:
    """Named in annotations and in isinstance(); none can be made."""

    def __init__(self, *args, **kwargs):
        raise SSLError(_NO_SOCKETS)


class SSLSocket(_Never):
    pass


class SSLObject(_Never):
    pass


class SSLSession(_Never):
    pass


class MemoryBIO(_Never):
    pass


def create_default_context(purpose=Purpose.SERVER_AUTH, *, cafile=None, capath=None, cadata=None):
    _check_authorities(cafile, capath, cadata)
    return SSLContext()


_create_default_https_context = create_default_context


def _create_unverified_context(*args, **kwargs):
    raise SSLError(_ALWAYS_VERIFIED)


def RAND_bytes(count, /):
    return os.urandom(count)


def _check_authorities(cafile, capath, cadata):
    is_usual = cafile is None or os.fspath(cafile).endswith(_USUAL_AUTHORITIES)
    if not is_usual or capath is not None or cadata is not None:
        raise SSLError(_AUTHORITIES)


def check_context(context):
    if not isinstance(context, SSLContext):
        raise TypeError(f"a TLS context is an ssl.SSLContext, not {type(context).__name__}")


def check_connection(connection):
    """Of http.client or of urllib3, which keeps what it was told until it connects."""
    wants = vars(connection).get
    if wants("cert_reqs") in (0, "NONE", "CERT_NONE") or wants("assert_hostname") is False:
        raise SSLError(_ALWAYS_VERIFIED)
    if wants("cert_file") or wants("key_file"):
        raise SSLError(_NO_CLIENT_CERTIFICATES)
    if wants("assert_fingerprint"):
        raise SSLError(_AUTHORITIES)
    _check_authorities(wants("ca_certs"), wants("ca_cert_dir"), wants("ca_cert_data"))
