//! How far a request may go.

use std::net::IpAddr;

use mirra_host_sdk::{AllowList, ErrorCode, Naming, OperationError};

use crate::{address::is_public, target::Target};

/// Which addresses of a target may be dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// Where it leads must be public.
    Public,
    /// Wherever it leads.
    Named,
}

/// Who says where a request goes, and so how far it may.
#[derive(Clone, Copy, Debug)]
pub enum Reach<'a> {
    /// The operator, who means it, wherever it leads: such as a model in their own network.
    Anywhere,
    /// The operator as a user: every public address, and what `--allow-net` names exactly.
    PublicAndNamed,
    /// Any other user: public addresses.
    Public,
    /// A handler: what `--allow-net` names, and of that only the hosts that the handler itself wants to reach, where it says so.
    Handler(Option<&'a AllowList>),
}

impl Reach<'_> {
    /// Decides by what the URL says, before anything is resolved. Where a name leads is for [`Permission::allows`].
    pub fn permission(self, target: &Target, operators: &AllowList) -> Result<Permission, OperationError> {
        let naming = |list: &AllowList| list.names(&target.host, target.port, target.scheme.port());
        let permission = match (self, naming(operators)) {
            (Reach::Anywhere, _) => Permission::Named,
            (Reach::PublicAndNamed | Reach::Handler(_), Some(Naming::Exactly)) => Permission::Named,
            (Reach::PublicAndNamed | Reach::Public, _) | (Reach::Handler(_), Some(Naming::Wildcard)) => Permission::Public,
            (Reach::Handler(_), None) => {
                let message = format!("handlers may not reach {target}: to let them, start the host with --allow-net {target}");
                return Err(OperationError::new(ErrorCode::ResourceDenied, message));
            }
        };
        if let Reach::Handler(Some(own)) = self
            && naming(own).is_none()
        {
            let message = format!("this handler may not reach {target}: to let it, add {target} to its allowedHosts");
            return Err(OperationError::new(ErrorCode::ResourceDenied, message));
        }
        match target.address() {
            Some(address) if !permission.allows(address) => Err(not_public(target)),
            _ => Ok(permission),
        }
    }
}

impl Permission {
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
