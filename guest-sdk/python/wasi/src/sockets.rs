//! There are none: what would make one answers that access is denied.

use crate::Answer;

const ACCESS_DENIED: u8 = 1;

#[unsafe(export_name = "wasi:sockets/tcp-create-socket@0.2.0#create-tcp-socket")]
extern "C" fn create_tcp_socket(_family: u32, answer: Answer) {
    answer.error(4, ACCESS_DENIED);
}

#[unsafe(export_name = "wasi:sockets/udp-create-socket@0.2.0#create-udp-socket")]
extern "C" fn create_udp_socket(_family: u32, answer: Answer) {
    answer.error(4, ACCESS_DENIED);
}

#[unsafe(export_name = "wasi:sockets/ip-name-lookup@0.2.0#resolve-addresses")]
extern "C" fn resolve_addresses(_network: u32, _name: *const u8, _len: usize, answer: Answer) {
    answer.error(4, ACCESS_DENIED);
}

#[unsafe(export_name = "wasi:sockets/instance-network@0.2.0#instance-network")]
extern "C" fn instance_network() -> u32 {
    0
}
