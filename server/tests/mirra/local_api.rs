//! A real HTTP server on this machine, which answers what a test says and remembers what it was asked.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use serde_json::{Value, json};

#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    /// As it came: still encoded.
    pub path: String,
    pub query: String,
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

pub struct Answered {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

pub struct LocalApi {
    pub address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Asked {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// A member of a form.
    pub fn form(&self, name: &str) -> Option<String> {
        form_urlencoded::parse(&self.body).find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
    }
}

impl Answered {
    pub fn json(status: u16, json: &Value) -> Answered {
        Answered { status, headers: vec![("content-type", "application/json".to_owned())], body: json.to_string().into_bytes() }
    }
}

impl LocalApi {
    pub fn start(answer: impl Fn(&Asked) -> Answered + Send + Sync + 'static) -> LocalApi {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let api = LocalApi { address: listener.local_addr().unwrap(), asked: Arc::default() };
        let (asked, answer) = (api.asked.clone(), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (asked, answer) = (asked.clone(), answer.clone());
                thread::spawn(move || serve(stream, &asked, &*answer));
            }
        });
        api
    }

    /// One that always answers the same.
    pub fn answering(json: Value) -> LocalApi {
        LocalApi::start(move |_| Answered::json(200, &json))
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    #[track_caller]
    pub fn last(&self) -> Asked {
        self.asked().pop().expect("nothing was asked")
    }
}

/// Requests over one connection, as long as there are any.
fn serve(stream: TcpStream, asked: &Mutex<Vec<Asked>>, answer: &dyn Fn(&Asked) -> Answered) {
    let mut reader = BufReader::new(stream);
    while let Some(request) = read(&mut reader) {
        asked.lock().unwrap().push(request.clone());
        let Answered { status, headers, body } = answer(&request);
        let mut head = format!("HTTP/1.1 {status} Said\r\ncontent-length: {}\r\n", body.len());
        headers.iter().for_each(|(name, value)| head.push_str(&format!("{name}: {value}\r\n")));
        let whole = [head.as_bytes(), b"\r\n", &body].concat();
        if reader.get_mut().write_all(&whole).is_err() {
            return;
        }
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Asked> {
    let line = |reader: &mut BufReader<TcpStream>| {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
        Some(line.trim_end().to_owned())
    };
    let first = line(reader)?;
    let mut words = first.split(' ').map(str::to_owned);
    let (method, target) = (words.next()?, words.next()?);
    let mut headers = Vec::new();
    while let Some(header) = line(reader).filter(|header| !header.is_empty()) {
        let (name, value) = header.split_once(':')?;
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
    let (path, query) = target.split_once('?').map_or((target.clone(), String::new()), |(path, query)| (path.to_owned(), query.to_owned()));
    let mut request = Asked { method, path, query, headers, body: Vec::new() };
    let length = request.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    request.body.resize(length, 0);
    reader.read_exact(&mut request.body).ok()?;
    Some(request)
}

/// What a token endpoint answers.
pub fn tokens(access_token: &str, refresh_token: &str, expires_in_s: u64) -> Answered {
    let tokens =
        json!({ "access_token": access_token, "refresh_token": refresh_token, "expires_in": expires_in_s, "token_type": "Bearer" });
    Answered::json(200, &tokens)
}
