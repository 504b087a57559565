//! A client that costs little: one connection, one request at a time.

use anyhow::Result;
use http_body_util::{BodyExt, Full};
use hyper::{Method, Request, body::Bytes, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

pub struct Connection {
    sender: http1::SendRequest<Full<Bytes>>,
    address: String,
}

impl Connection {
    pub async fn open(address: &str) -> Result<Connection> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Connection { sender, address: address.to_owned() })
    }

    /// The answer's status; its body is read and dropped.
    pub async fn get(&mut self, path: &str) -> Result<u16> {
        Ok(self.send(Method::GET, path, None, Bytes::new()).await?.0)
    }

    /// The same, with JSON as the request's body.
    pub async fn post(&mut self, path: &str, json: &'static str) -> Result<u16> {
        Ok(self.send(Method::POST, path, None, Bytes::from(json)).await?.0)
    }

    /// An operation of the API: the answer's status and text.
    pub async fn operate(&mut self, path: &str, key: &str, json: String) -> Result<(u16, Bytes)> {
        self.send(Method::POST, path, Some(key), Bytes::from(json)).await
    }

    async fn send(&mut self, method: Method, path: &str, key: Option<&str>, body: Bytes) -> Result<(u16, Bytes)> {
        let request = Request::builder().method(method).uri(path).header("host", &self.address);
        let request = key.into_iter().fold(request, |request, key| request.header("x-api-key", key));
        let request = request.header("content-type", "application/json").body(Full::from(body))?;
        self.sender.ready().await?;
        let answer = self.sender.send_request(request).await?;
        let status = answer.status().as_u16();
        Ok((status, answer.into_body().collect().await?.to_bytes()))
    }
}
