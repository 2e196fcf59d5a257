// Declarations of Java files with their places, as javac resolves them, for benchmarks.rename_uses:
// java References.java FOLDER... > java.jsonl (Java 17 or newer)

import com.sun.source.tree.*;
import com.sun.source.util.*;
import javax.lang.model.element.*;
import javax.tools.*;
import java.nio.file.*;
import java.util.*;
import java.util.stream.*;

public class References {
    public static void main(String[] args) throws Exception {
        Random random = new Random(1);
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        for (String root : args) for (Path path : Files.walk(Path.of(root)).filter(p -> p.toString().endsWith(".java")).sorted().collect(Collectors.toList())) {
            String text = Files.readString(path);
            if (text.length() > 40000 || !text.chars().allMatch(c -> c < 128)) continue;
            var manager = compiler.getStandardFileManager(d -> {}, null, null);
            JavacTask task = (JavacTask) compiler.getTask(null, manager, d -> {}, List.of("-proc:none"), null, manager.getJavaFileObjects(path));
            CompilationUnitTree unit = task.parse().iterator().next();
            try { task.analyze(); } catch (Throwable e) { continue; }
            Trees trees = Trees.instance(task);
            SourcePositions positions = trees.getSourcePositions();
            Map<Element, TreeSet<Integer>> places = new LinkedHashMap<>();
            Map<Element, Integer> declared = new LinkedHashMap<>();
            new TreePathScanner<Void, Void>() {
                void add(Element e, int at, boolean declares) {
                    if (e == null || at < 0) return;
                    if (e.getKind() == ElementKind.CONSTRUCTOR) e = e.getEnclosingElement();
                    String name = e.getSimpleName().toString();
                    if (name.isEmpty() || !text.startsWith(name, at)) return;
                    places.computeIfAbsent(e, k -> new TreeSet<>()).add(at);
                    if (declares) declared.putIfAbsent(e, at);
                }
                int after(Tree tree, String name) {
                    int start = (int) positions.getStartPosition(unit, tree), end = (int) positions.getEndPosition(unit, tree);
                    var m = java.util.regex.Pattern.compile("(?<![\\w$.@\"])" + java.util.regex.Pattern.quote(name) + "(?![\\w$])").matcher(text).region(Math.max(0, start), Math.max(0, end)).useTransparentBounds(true);
                    return m.find() ? m.start() : -1;
                }
                public Void visitVariable(VariableTree t, Void v) {
                    Element e = trees.getElement(getCurrentPath());
                    int from = t.getType() == null ? (int) positions.getStartPosition(unit, t) : (int) positions.getEndPosition(unit, t.getType());
                    int at = from < 0 ? -1 : text.indexOf(t.getName().toString(), from);
                    if (e != null && e.getKind() != ElementKind.ENUM_CONSTANT) add(e, at, true);
                    return super.visitVariable(t, v);
                }
                public Void visitClass(ClassTree t, Void v) { Element e = trees.getElement(getCurrentPath()); if (e != null && t.getSimpleName().length() > 0) { int at = -1; var m = java.util.regex.Pattern.compile("\\b(?:class|interface|enum|record)\\s+" + t.getSimpleName() + "\\b").matcher(text).region((int) positions.getStartPosition(unit, t), (int) positions.getEndPosition(unit, t)); if (m.find()) at = m.end() - t.getSimpleName().length(); add(e, at, true); } return super.visitClass(t, v); }
                public Void visitMethod(MethodTree t, Void v) {
                    Element e = trees.getElement(getCurrentPath());
                    if (e != null && positions.getEndPosition(unit, t) > 0) {
                        String name = e.getKind() == ElementKind.CONSTRUCTOR ? e.getEnclosingElement().getSimpleName().toString() : t.getName().toString();
                        int from = t.getReturnType() == null ? (int) positions.getStartPosition(unit, t) : (int) positions.getEndPosition(unit, t.getReturnType());
                        var m = java.util.regex.Pattern.compile("\\b" + java.util.regex.Pattern.quote(name) + "\\s*\\(").matcher(text).region(Math.max(0, from), (int) positions.getEndPosition(unit, t));
                        if (!name.isEmpty() && m.find()) add(e, m.start(), e.getKind() != ElementKind.CONSTRUCTOR);
                    }
                    return super.visitMethod(t, v);
                }
                public Void visitIdentifier(IdentifierTree t, Void v) { add(trees.getElement(getCurrentPath()), (int) positions.getStartPosition(unit, t), false); return super.visitIdentifier(t, v); }
                public Void visitMemberSelect(MemberSelectTree t, Void v) { add(trees.getElement(getCurrentPath()), (int) positions.getEndPosition(unit, t) - t.getIdentifier().length(), false); return super.visitMemberSelect(t, v); }
            }.scan(unit, null);
            List<Element> all = new ArrayList<>(declared.keySet());
            Collections.shuffle(all, random);
            for (Element e : all.subList(0, Math.min(8, all.size()))) {
                var found = places.get(e);
                if (found.size() < 2 || found.size() > 40 || !found.first().equals(declared.get(e))) continue;
                int n = e.getSimpleName().length();
                System.out.println("{\"language\": \"java\", \"path\": \"" + path.toAbsolutePath() + "\", \"name\": \"" + e.getSimpleName() + "\", \"kind\": \"" + e.getKind() + "\", \"places\": [" + found.stream().map(p -> "[" + p + ", " + (p + n) + "]").collect(Collectors.joining(", ")) + "]}");
            }
        }
    }
}
