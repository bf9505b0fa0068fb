package format

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
)

// errMoved says that what was opened is not what a link leads to.
var errMoved = errors.New("it cannot be found out where this link leads")

// errChanged says that somebody else wrote the file after it was read.
var errChanged = errors.New("it was changed while it was being formatted")

// errCrowded says that there is no name left for a new file.
var errCrowded = fmt.Errorf("%d files with names of the form .NAME.N.tmp, which killed runs left, lie beside it", maxTemporary)

const (
	// maxLinks is how many links may follow one another.
	maxLinks = 16
	// maxTemporary is how many files of runs that were killed may lie beside a file.
	maxTemporary = 100
)

// replace gives a file of the directory new content, all at once: a reader sees the
// old or the new. What was written since it was read stays. A link stays one, and the file that it leads to is replaced. A
// file that may not be written is left alone, although its directory may.
func replace(root *os.Root, name string, before, content []byte) error {
	target, info, err := resolve(root, name)
	if err != nil {
		return err
	}
	old, err := root.OpenFile(target, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_ = old.Close()
	temporary, file, err := create(root, target)
	if err != nil {
		return err
	}
	if err := errors.Join(fill(file, content, info.Mode().Perm()), file.Close()); err != nil {
		return errors.Join(err, root.Remove(temporary))
	}
	if now, err := root.ReadFile(target); err != nil || !bytes.Equal(now, before) {
		return errors.Join(cmp.Or(err, errChanged), root.Remove(temporary))
	}
	if err := root.Rename(temporary, target); err != nil {
		return errors.Join(err, root.Remove(temporary))
	}
	return nil
}

// resolve follows links inside of the directory to the file itself. A path with ".."
// after a link to a directory may mean another file than it says; the comparison
// with what is opened finds that out.
func resolve(root *os.Root, name string) (string, fs.FileInfo, error) {
	opened, err := root.Stat(name)
	if err != nil {
		return "", nil, err
	}
	for range maxLinks {
		info, err := root.Lstat(name)
		if err != nil {
			return "", nil, err
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			if !os.SameFile(info, opened) {
				return "", nil, errMoved
			}
			return name, info, nil
		}
		target, err := root.Readlink(name)
		if err != nil {
			return "", nil, err
		}
		name = path.Join(path.Dir(name), filepath.ToSlash(target))
	}
	return "", nil, errMoved
}

// create makes an empty hidden file beside another.
func create(root *os.Root, beside string) (string, *os.File, error) {
	for i := range maxTemporary {
		name := path.Join(path.Dir(beside), fmt.Sprintf(".%s.%d.tmp", path.Base(beside), i))
		file, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if !errors.Is(err, fs.ErrExist) {
			return name, file, err
		}
	}
	return "", nil, errCrowded
}

// fill writes the content to disk.
func fill(file *os.File, content []byte, mode fs.FileMode) error {
	if err := file.Chmod(mode); err != nil {
		return err
	}
	if _, err := file.Write(content); err != nil {
		return err
	}
	return file.Sync()
}

// cause is what went wrong, without the path that the error may hold.
func cause(err error) error {
	if pathError, ok := errors.AsType[*fs.PathError](err); ok {
		return pathError.Err
	}
	if linkError, ok := errors.AsType[*os.LinkError](err); ok {
		return linkError.Err
	}
	return err
}
