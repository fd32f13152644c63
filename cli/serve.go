package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"sonotype/internal/problem"
	"sonotype/serve"
	"sonotype/serve/page"
	"sonotype/serve/store"
)

type serveFlags struct {
	trustFlags
	bundle, addr, cert, key string
	proxy                   bool
	waiting                 int
	dataFlags
}

// dataFlags say where cases are kept, and how patients' identifiers are hidden.
type dataFlags struct {
	dir, keyFile string
	keep         bool
}

func (f *dataFlags) bind(cmd *cobra.Command) {
	cmd.PersistentFlags().StringVar(&f.dir, "data", "sonotype-data", "folder of the cases' database")
	cmd.PersistentFlags().StringVar(&f.keyFile, "key-file", "", "key that hides patients' identifiers; made where there is none (default DATA/key)")
	cmd.PersistentFlags().BoolVar(&f.keep, "keep-identifiers", false, "keep identifiers encrypted, so that readers see them; otherwise only pseudonyms are kept")
}

func (f *dataFlags) database() string { return filepath.Join(f.dir, "cases.db") }

// open opens the database, making folder and key where there are none.
func (f *dataFlags) open() (*store.Store, error) {
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return nil, &problem.Error{What: "cannot make the data folder", File: f.dir, Err: err}
	}
	key := f.keyFile
	if key == "" {
		key = filepath.Join(f.dir, "key")
	}
	if _, err := os.Stat(key); errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(f.database()); err == nil { // another key would give other pseudonyms
			return nil, &problem.Error{What: "the key file that the database was made with is missing", File: key, Try: "put it back, or name it with --key-file"}
		}
	}
	v, err := store.OpenVault(key, f.keep)
	if err != nil {
		return nil, err
	}
	return store.Open(f.database(), v)
}

func (a *app) serve() *cobra.Command {
	f := &serveFlags{}
	cmd := &cobra.Command{
		Use:   "serve --bundle BUNDLE",
		Short: "Decision support in the browser and over REST",
		Long: `Serve decision support: draw or load a lesion's outline, predict with a frozen
model, print a case report; the API is described at /api/openapi.json. Research use
only. Listens on 127.0.0.1 unless told otherwise; another address needs accounts
(sonotype serve reader set NAME) and TLS, or a reverse proxy that does TLS.
` + exitHelp,
		Example: "  sonotype serve --bundle run/10-bundle/model.sono\n  sonotype serve reader set mei --role admin\n  sonotype serve --bundle model.sono --addr 0.0.0.0:8443 --tls-cert cert.pem --tls-key key.pem",
		Args:    exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.runServer(cmd.Context(), f)
		},
	}
	f.trustFlags.bind(cmd)
	f.dataFlags.bind(cmd)
	cmd.Flags().StringVar(&f.bundle, "bundle", "", "frozen model (required)")
	cmd.Flags().StringVar(&f.addr, "addr", "127.0.0.1:8080", "address to listen on")
	cmd.Flags().StringVar(&f.cert, "tls-cert", "", "TLS certificate, PEM")
	cmd.Flags().StringVar(&f.key, "tls-key", "", "its key, PEM")
	cmd.Flags().BoolVar(&f.proxy, "behind-proxy", false, "a reverse proxy in front does TLS and adds the client's address to X-Forwarded-For")
	cmd.Flags().IntVar(&f.waiting, "queue", 32, "predictions that may wait for their turn; more are told to come again")
	require(cmd, "bundle")
	cmd.AddCommand(a.serveReader(&f.dataFlags), a.serveBackup(&f.dataFlags), a.serveRestore(&f.dataFlags), a.serveCheck(&f.dataFlags))
	return cmd
}

func (a *app) runServer(ctx context.Context, f *serveFlags) error {
	b, err := f.openBundle(f.bundle)
	if err != nil {
		return err
	}
	defer b.Close()
	db, err := f.open()
	if err != nil {
		return err
	}
	defer db.Close()
	readers, err := db.Readers(ctx)
	if err != nil {
		return err
	}
	accounts := len(readers) > 0
	log := slog.New(slog.NewTextHandler(a.err, nil))
	service := serve.NewService(db, b, f.waiting)
	pages, err := page.New(service, accounts, log)
	if err != nil {
		return err
	}
	c := serve.Config{Addr: f.addr, Cert: f.cert, Key: f.key, Proxy: f.proxy, Accounts: accounts, Log: log}
	s, err := serve.New(c, service, pages)
	if err != nil {
		return err
	}
	return s.Run(ctx, func(addr string) {
		scheme := "http"
		if f.cert != "" {
			scheme = "https"
		}
		a.say("%s\nopen %s://%s   (stop with Ctrl-C)\nResearch use only: not for diagnosis, not for treatment decisions.", b.Card().Title, scheme, addr)
	})
}

func (a *app) serveReader(f *dataFlags) *cobra.Command {
	cmd := &cobra.Command{Use: "reader", Short: "Manage the accounts of readers"}
	var role string
	set := &cobra.Command{
		Use:     "set NAME",
		Short:   "Add an account, or change its role and password; the password is read from the terminal, or a line of stdin",
		Example: "  sonotype serve reader set mei --role admin",
		Args:    exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			password, err := a.readPassword()
			if err != nil {
				return err
			}
			return a.withStore(f, func(db *store.Store) error {
				if err := serve.NewService(db, nil, 0).SetReader(cmd.Context(), "command line", args[0], role, password); err != nil {
					return err
				}
				a.say("%s may sign in as %s", args[0], role)
				return nil
			})
		},
	}
	set.Flags().StringVar(&role, "role", store.RoleReader, "reader, or admin: may also manage readers and read the audit log")
	remove := &cobra.Command{
		Use:   "remove NAME",
		Short: "End an account",
		Args:  exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withStore(f, func(db *store.Store) error { return db.RemoveReader(cmd.Context(), "command line", args[0]) })
		},
	}
	cmd.AddCommand(set, remove)
	return cmd
}

func (a *app) withStore(f *dataFlags, do func(*store.Store) error) error {
	db, err := f.open()
	if err != nil {
		return err
	}
	defer db.Close()
	return do(db)
}

// readPassword asks for a password without showing it, or reads a line where stdin is no terminal.
func (a *app) readPassword() (string, error) {
	if fd := int(os.Stdin.Fd()); term.IsTerminal(fd) {
		fmt.Fprint(a.err, "password: ")
		b, err := term.ReadPassword(fd)
		fmt.Fprintln(a.err)
		return string(b), err
	}
	line, err := bufio.NewReader(os.Stdin).ReadString('\n')
	if line == "" && err != nil {
		return "", &problem.Error{What: "no password was given", Err: err, Try: "type it, or send it as a line: echo ... | sonotype serve reader set NAME"}
	}
	return strings.TrimRight(line, "\r\n"), nil
}

func (a *app) serveBackup(f *dataFlags) *cobra.Command {
	return &cobra.Command{
		Use:     "backup FILE",
		Short:   "Write a checked copy of the database; the server may be running",
		Example: "  sonotype serve backup cases-2026-01-31.db",
		Args:    exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			began := time.Now()
			if err := store.Backup(cmd.Context(), f.database(), args[0]); err != nil {
				return err
			}
			a.say("wrote %s in %s; keep a copy of the key file too, in another place", args[0], time.Since(began).Round(time.Millisecond))
			return nil
		},
	}
}

func (a *app) serveRestore(f *dataFlags) *cobra.Command {
	return &cobra.Command{
		Use:     "restore FILE",
		Short:   "Put a back-up in the place of the database; the server must not be running",
		Example: "  sonotype serve restore cases-2026-01-31.db",
		Args:    exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(f.dir, 0o700); err != nil {
				return err
			}
			if err := store.Restore(cmd.Context(), args[0], f.database()); err != nil {
				return err
			}
			a.say("restored %s; the database before it is %s.before-restore", args[0], f.database())
			return nil
		},
	}
}

func (a *app) serveCheck(f *dataFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "check",
		Short: "Check the database and that nobody changed its audit log",
		Args:  exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := store.Check(cmd.Context(), f.database()); err != nil {
				return err
			}
			a.say("%s is whole, and its audit log follows entry from entry", f.database())
			return nil
		},
	}
}
