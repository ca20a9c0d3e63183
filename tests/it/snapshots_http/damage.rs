//! Files that go, or change, while somebody downloads them.

use jiff::SignedDuration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;
use zhengming::http::limits::LimitsConfig;

use super::{grow, look, place, three, with_limits};
use crate::support::service::{answered, now};

#[tokio::test]
async fn a_download_outlives_its_file() {
    // More than the buffers between two sockets and what is read ahead.
    const ENTRIES: u64 = 24_000;
    let (service, key) = with_limits(&LimitsConfig::default()).await;
    grow(&service, ENTRIES, now()).await;
    assert!(look(&service, now()).await);
    let file = service.data_dir.path().join(format!("snapshots/{ENTRIES}.ndjson"));
    let bytes = std::fs::read(&file).unwrap();
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    let mut wire = socket.connect(service.address).await.unwrap();
    let path = place(ENTRIES, "ndjson");
    let request =
        format!("GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\nconnection: close\r\n\r\n");
    wire.write_all(request.as_bytes()).await.unwrap();
    let mut begin = [0; 1_000];
    wire.read_exact(&mut begin).await.unwrap();
    for days in [2, 4] {
        grow(&service, 3, now()).await;
        assert!(look(&service, now() + SignedDuration::from_hours(24 * days)).await);
    }
    assert!(!file.exists());
    let mut rest = Vec::new();
    wire.read_to_end(&mut rest).await.unwrap();
    let all = [&begin[..], &rest].concat();
    let head = 4 + all.windows(4).position(|end| end == b"\r\n\r\n").unwrap();
    assert!(all[head..] == bytes, "{} of {} bytes", all.len() - head, bytes.len());
}

#[tokio::test]
async fn one_that_its_disk_has_not_kept_is_sent_to_nobody_and_made_anew() {
    for place_of in [|_| 0, |bytes: usize| bytes / 2, |bytes| bytes - 1] {
        let (service, key) = three().await;
        let file = service.data_dir.path().join("snapshots/3.csv");
        let bytes = std::fs::read(&file).unwrap();
        let mut damaged = bytes.clone();
        damaged[place_of(bytes.len())] ^= 4;
        std::fs::write(&file, &damaged).unwrap();
        assert_eq!(answered(service.get(&place(3, "csv"), &key)).await.code(), (500, "internal".into()));
        assert_eq!(answered(service.get(&place(3, "csv"), &key)).await.code(), (410, "snapshot_gone".into()));
        assert!(look(&service, now()).await);
        let again = answered(service.get(&place(3, "csv"), &key)).await;
        assert_eq!((again.status, again.body.as_bytes()), (200, &bytes[..]));
    }
}
