// Declarations of Go packages with their places, as go/types resolves them, for benchmarks.rename_uses:
// go run references.go FOLDER... > go.jsonl

package main

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"math/rand"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

func main() {
	r := rand.New(rand.NewSource(1))
	for _, dir := range os.Args[1:] {
		fset := token.NewFileSet()
		pkgs, _ := parser.ParseDir(fset, dir, func(i os.FileInfo) bool { return !strings.HasSuffix(i.Name(), "_test.go") }, 0)
		for _, pkg := range pkgs {
			var files []*ast.File
			for _, f := range pkg.Files {
				files = append(files, f)
			}
			info := &types.Info{Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{}, Implicits: map[ast.Node]types.Object{}}
			conf := types.Config{Importer: importer.ForCompiler(fset, "source", nil), Error: func(error) {}}
			conf.Check(pkg.Name, fset, files, info)
			for path, f := range pkg.Files {
				content, _ := os.ReadFile(path)
				if len(content) > 40000 || strings.ContainsFunc(string(content), func(c rune) bool { return c > 127 }) {
					continue
				}
				by := map[types.Object][]int{}
				def := map[types.Object]int{}
				ast.Inspect(f, func(n ast.Node) bool {
					if id, ok := n.(*ast.Ident); ok {
						o := info.Defs[id]
						if o != nil {
							def[o] = fset.Position(id.Pos()).Offset
						} else {
							o = info.Uses[id]
						}
						if o != nil {
							by[o] = append(by[o], fset.Position(id.Pos()).Offset)
						}
					}
					return true
				})
				var objs []types.Object
				for o := range def {
					v, isVar := o.(*types.Var)
					if isVar && v.IsField() {
						continue
					}
					if fn, ok := o.(*types.Func); ok && fn.Type().(*types.Signature).Recv() != nil {
						continue
					}
					objs = append(objs, o)
				}
				sort.Slice(objs, func(i, j int) bool { return def[objs[i]] < def[objs[j]] })
				r.Shuffle(len(objs), func(i, j int) { objs[i], objs[j] = objs[j], objs[i] })
				for i, o := range objs {
					if i == 6 {
						break
					}
					ps := by[o]
					sort.Ints(ps)
					if len(ps) < 2 || len(ps) > 40 || ps[0] != def[o] || o.Name() == "_" {
						continue
					}
					var places [][2]int
					for _, p := range ps {
						places = append(places, [2]int{p, p + len(o.Name())})
					}
					abs, _ := filepath.Abs(path)
					j, _ := json.Marshal(map[string]any{"language": "go", "path": abs, "name": o.Name(), "places": places})
					fmt.Println(string(j))
				}
			}
		}
	}
}
