//! What the allow lists say of a target.

use std::net::IpAddr;

use mirra_host_sdk::{AllowList, ErrorCode, Naming, OperationError};

use crate::{address::is_public, target::Target};

/// What the operator's allow list says of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// Named by a wildcard: where it leads must be public.
    Public,
    /// Named by its name or address: wherever it leads.
    Named,
}

impl Permission {
    /// Decides by what the URL says, before anything is resolved. Where a name leads is for [`Permission::allows`]. `own` are the
    /// hosts that the handler itself wants to reach: they allow nothing, and may only leave out.
    pub fn of(target: &Target, operators: &AllowList, own: Option<&AllowList>) -> Result<Permission, OperationError> {
        let naming = |list: &AllowList| list.names(&target.host, target.port, target.scheme.port());
        let permission = match naming(operators) {
            Some(Naming::Exactly) => Permission::Named,
            Some(Naming::Wildcard) => Permission::Public,
            None => {
                let message = format!("handlers may not reach {target}: to let them, start the host with --allow-net {target}");
                return Err(OperationError::new(ErrorCode::ResourceDenied, message));
            }
        };
        if own.is_some_and(|own| naming(own).is_none()) {
            let message = format!("this handler may not reach {target}: to let it, add {target} to its allowedHosts");
            return Err(OperationError::new(ErrorCode::ResourceDenied, message));
        }
        match target.address() {
            Some(address) if !permission.allows(address) => Err(not_public(target)),
            _ => Ok(permission),
        }
    }

    /// For what the host itself requests in a tenant's name: every public address, and besides what the operator has named.
    pub fn of_host(target: &Target, operators: &AllowList) -> Result<Permission, OperationError> {
        let naming = operators.names(&target.host, target.port, target.scheme.port());
        let permission = if naming == Some(Naming::Exactly) { Permission::Named } else { Permission::Public };
        match target.address() {
            Some(address) if !permission.allows(address) => Err(not_public(target)),
            _ => Ok(permission),
        }
    }

    pub fn allows(self, address: IpAddr) -> bool {
        self == Permission::Named || is_public(address)
    }
}

/// Tells neither the address nor what kind it is: the map of an operator's network is no handler's business.
pub fn not_public(target: &Target) -> OperationError {
    let message = format!(
        "{target} is not on the public internet, and only what is named exactly may be elsewhere: to let it be reached, start the \
         host with --allow-net {target}"
    );
    OperationError::new(ErrorCode::ResourceDenied, message)
}
