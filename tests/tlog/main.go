// Reads the log over HTTP as anybody may, and believes nothing that it cannot
// prove. Notes, proofs and tiles are read by the Go project's own packages for
// transparency logs, so that nothing here is of the same hand as the log.
//
//	tlog BASE_URL VERIFIER_KEY PROVIDER_KEY
//
// Commands come on stdin, one a line, and each is answered with one line:
//
//	look    takes the newest checkpoint and the entries that are new under it,
//	        and proves every entry, and that each checkpoint seen so far grew
//	        into each later one
//	again   fetches the tiles and the last bundle of every checkpoint seen so
//	        far once more, and proves its last entry
//	open BASE64
//	        opens a note
//
// "ok ..." or "refused: why".
package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Height is 8 levels, and a full tile or bundle has as many hashes or entries.
const (
	height    = 8
	tileWidth = 1 << height
)

type monitor struct {
	base, verifierKey, providerKey string
	verifier                       note.Verifier
	client                         http.Client
	// What was signed, oldest first.
	trees []tlog.Tree
	// The hash of every entry under the newest tree.
	records []tlog.Hash
	// By path; only what the trees have proved.
	tiles map[string][]byte
}

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: tlog BASE_URL VERIFIER_KEY PROVIDER_KEY")
		os.Exit(2)
	}
	verifier, err := note.NewVerifier(os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	m := &monitor{
		base:        os.Args[1],
		verifierKey: os.Args[2],
		providerKey: os.Args[3],
		verifier:    verifier,
		client:      http.Client{Timeout: 30 * time.Second},
		tiles:       map[string][]byte{},
	}
	commands := bufio.NewScanner(os.Stdin)
	for commands.Scan() {
		answer, err := m.obey(commands.Text())
		if err != nil {
			fmt.Println("refused:", strings.ReplaceAll(err.Error(), "\n", " "))
		} else {
			fmt.Println("ok", answer)
		}
	}
}

func (m *monitor) obey(command string) (string, error) {
	verb, argument, _ := strings.Cut(command, " ")
	switch verb {
	case "look":
		return m.look()
	case "again":
		return m.again()
	case "open":
		msg, err := base64.StdEncoding.DecodeString(argument)
		if err != nil {
			return "", err
		}
		tree, err := m.open(msg)
		return fmt.Sprint("size=", tree.N), err
	}
	return "", fmt.Errorf("no such command: %q", verb)
}

func (m *monitor) look() (string, error) {
	key, err := m.get("key", "")
	if err != nil {
		return "", err
	}
	if string(key) != m.verifierKey+"\n" {
		return "", fmt.Errorf("the log says that its key is %q", key)
	}
	msg, err := m.get("checkpoint", "")
	if err != nil {
		return "", err
	}
	tree, err := m.open(msg)
	if err != nil {
		return "", err
	}
	if tree.N < int64(len(m.records)) {
		return "", fmt.Errorf("it had %d entries and has %d", len(m.records), tree.N)
	}
	if err := m.fetchEntries(tree.N); err != nil {
		return "", err
	}
	if err := m.proveEntries(tree); err != nil {
		return "", err
	}
	m.trees = append(m.trees, tree)
	growths, err := m.proveGrowths()
	return fmt.Sprintf("size=%d root=%v entries=%d growths=%d", tree.N, tree.Hash, tree.N, growths), err
}

// open returns the tree of a note that the log has signed.
func (m *monitor) open(msg []byte) (tlog.Tree, error) {
	opened, err := note.Open(msg, note.VerifierList(m.verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	origin, rest, _ := strings.Cut(opened.Text, "\n")
	if origin != m.verifier.Name() {
		return tlog.Tree{}, fmt.Errorf("a checkpoint of %q", origin)
	}
	// The format of Go's own log but for its first line.
	return tlog.ParseTree([]byte("go.sum database tree\n" + rest))
}

// fetchEntries takes the bundles from the first that is not full yet on.
func (m *monitor) fetchEntries(size int64) error {
	for first := int64(len(m.records)) / tileWidth * tileWidth; first < size; first += tileWidth {
		entries, err := m.bundle(first/tileWidth, size)
		if err != nil {
			return err
		}
		for i, entry := range entries {
			seq, hash := first+int64(i), tlog.RecordHash(entry)
			if seq == int64(len(m.records)) {
				m.records = append(m.records, hash)
			} else if m.records[seq] != hash {
				return fmt.Errorf("entry %d has changed", seq)
			}
		}
	}
	return nil
}

// bundle returns the entries of a bundle, as many as there are at a size.
func (m *monitor) bundle(nth, size int64) ([][]byte, error) {
	place := tlog.Tile{H: height, L: 0, N: nth, W: tileWidth}
	if size-nth*tileWidth < tileWidth {
		place.W = int(size - nth*tileWidth)
	}
	path := strings.Replace(place.Path(), "tile/8/0/", "tile/entries/", 1)
	rest, err := m.get(path, m.providerKey)
	if err != nil {
		return nil, err
	}
	var entries [][]byte
	for len(rest) >= 2 {
		length := int(binary.BigEndian.Uint16(rest))
		if len(rest) < 2+length {
			break
		}
		entries = append(entries, rest[2:2+length])
		rest = rest[2+length:]
	}
	if len(rest) > 0 || len(entries) != place.W {
		return nil, fmt.Errorf("%s has %d entries and %d bytes more", path, len(entries), len(rest))
	}
	return entries, nil
}

func (m *monitor) proveEntries(tree tlog.Tree) error {
	hashes := m.hashesOf(tree)
	for seq := int64(0); seq < tree.N; seq++ {
		if seq%tileWidth == 0 {
			if err := hashes.readTile(seq / tileWidth); err != nil {
				return err
			}
		}
		if err := m.proveEntry(tree, seq, hashes); err != nil {
			return err
		}
	}
	return nil
}

func (m *monitor) proveEntry(tree tlog.Tree, seq int64, hashes tlog.HashReader) error {
	proof, err := tlog.ProveRecord(tree.N, seq, hashes)
	if err == nil {
		err = tlog.CheckRecord(proof, tree.N, tree.Hash, seq, m.records[seq])
	}
	if err != nil {
		return fmt.Errorf("entry %d of %d: %w", seq, tree.N, err)
	}
	return nil
}

// proveGrowths proves of every two trees that one is the beginning of the
// other; returns how many proofs that were.
func (m *monitor) proveGrowths() (int, error) {
	proved := 0
	for i, newer := range m.trees {
		hashes := m.hashesOf(newer)
		for _, older := range m.trees[:i] {
			if err := proveGrowth(older, newer, hashes); err != nil {
				return proved, fmt.Errorf("from %d to %d: %w", older.N, newer.N, err)
			}
			proved++
		}
	}
	return proved, nil
}

func proveGrowth(older, newer tlog.Tree, hashes tlog.HashReader) error {
	if older.N == 0 {
		// Every tree begins with nothing, whose hash is RFC 6962's.
		if older.Hash != sha256.Sum256(nil) {
			return errors.New("the empty tree has another root")
		}
		return nil
	}
	proof, err := tlog.ProveTree(newer.N, older.N, hashes)
	if err != nil {
		return err
	}
	return tlog.CheckTree(proof, newer.N, newer.Hash, older.N, older.Hash)
}

func (m *monitor) again() (string, error) {
	m.tiles = map[string][]byte{}
	for _, tree := range m.trees {
		if tree.N == 0 {
			continue
		}
		nth := (tree.N - 1) / tileWidth
		entries, err := m.bundle(nth, tree.N)
		if err != nil {
			return "", err
		}
		for i, entry := range entries {
			if m.records[nth*tileWidth+int64(i)] != tlog.RecordHash(entry) {
				return "", fmt.Errorf("entry %d has changed", nth*tileWidth+int64(i))
			}
		}
		if err := m.proveEntry(tree, tree.N-1, m.hashesOf(tree)); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("trees=%d tiles=%d", len(m.trees), len(m.tiles)), nil
}

// treeHashes are the hashes of one tree, those kept that were proved already.
type treeHashes struct {
	tree   tlog.Tree
	reader tlog.HashReader
	proved map[int64]tlog.Hash
}

func (m *monitor) hashesOf(tree tlog.Tree) *treeHashes {
	return &treeHashes{tree, tlog.TileHashReader(tree, m), map[int64]tlog.Hash{}}
}

func (t *treeHashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var missing []int64
	for _, index := range indexes {
		if _, ok := t.proved[index]; !ok {
			missing = append(missing, index)
		}
	}
	if len(missing) > 0 {
		hashes, err := t.reader.ReadHashes(missing)
		if err != nil {
			return nil, err
		}
		for i, index := range missing {
			t.proved[index] = hashes[i]
		}
	}
	found := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		found[i] = t.proved[index]
	}
	return found, nil
}

// readTile reads all hashes of a tile of entries at once: a tile is proved
// anew at each reading.
func (t *treeHashes) readTile(nth int64) error {
	first, end := nth*tileWidth, (nth+1)*tileWidth
	if end > t.tree.N {
		end = t.tree.N
	}
	var indexes []int64
	for level := 0; level <= height; level++ {
		for n := first >> level; n < end>>level; n++ {
			indexes = append(indexes, tlog.StoredHashIndex(level, n))
		}
	}
	_, err := t.ReadHashes(indexes)
	return err
}

func (m *monitor) Height() int { return height }

func (m *monitor) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(tiles))
	for i, tile := range tiles {
		if data[i] = m.tiles[tile.Path()]; data[i] != nil {
			continue
		}
		fetched, err := m.get(strings.Replace(tile.Path(), "tile/8/", "tile/", 1), "")
		if err != nil {
			return nil, err
		}
		data[i] = fetched
	}
	return data, nil
}

func (m *monitor) SaveTiles(tiles []tlog.Tile, data [][]byte) {
	for i, tile := range tiles {
		m.tiles[tile.Path()] = data[i]
	}
}

func (m *monitor) get(path, key string) ([]byte, error) {
	request, err := http.NewRequest(http.MethodGet, m.base+"/feed/v1/"+path, nil)
	if err != nil {
		return nil, err
	}
	if key != "" {
		request.Header.Set("Authorization", "Bearer "+key)
	}
	response, err := m.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", path, response.Status)
	}
	return io.ReadAll(response.Body)
}
