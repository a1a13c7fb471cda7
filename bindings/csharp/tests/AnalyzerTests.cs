// MMF001 and MMF002: where a project that has the package means .NET's own types after all.
using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using System.Threading;
using System.Threading.Tasks;
using System.Xml.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeActions;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;
using Mmf.Analyzers;
using Xunit;

namespace Mmf.Tests;

public class AnalyzerTests
{
    private static readonly MetadataReference[] References =
        ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!)
        .Split(Path.PathSeparator)
        .Where(path => Path.GetFileName(path).StartsWith("System.", StringComparison.Ordinal) ||
                       Path.GetFileName(path) == "Mmf.dll")
        .Select(path => (MetadataReference)MetadataReference.CreateFromFile(path))
        .ToArray();

    // What the package's props make of the project's properties.
    private static string Aliases(bool maps, bool sync)
    {
        XElement props = XDocument.Load(Path.Combine(AppContext.BaseDirectory, "Mmf.props")).Root!;
        return string.Concat(
            from item in props.Descendants("Using")
            where item.Parent!.Attribute("Condition")!.Value.Contains("MmfMaps", StringComparison.Ordinal) ? maps : sync
            select $"global using {item.Attribute("Alias")!.Value} = {item.Attribute("Include")!.Value};\n");
    }

    private sealed class Settings(bool maps, bool asked) : AnalyzerConfigOptionsProvider
    {
        private sealed class Global(bool maps, bool asked) : AnalyzerConfigOptions
        {
            public override bool TryGetValue(string key, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out string? value)
            {
                value = key switch
                {
                    "build_property.MmfMaps" => maps ? null : "false",
                    "build_property.MmfPackage" => asked ? "true" : null,
                    _ => null,
                };
                return value != null;
            }
        }

        public override AnalyzerConfigOptions GlobalOptions { get; } = new Global(maps, asked);
        public override AnalyzerConfigOptions GetOptions(SyntaxTree tree) => GlobalOptions;
        public override AnalyzerConfigOptions GetOptions(AdditionalText textFile) => GlobalOptions;
    }

    private static Document NewDocument(string source, bool maps, bool sync)
    {
        var workspace = new AdhocWorkspace();
        Project project = workspace.AddProject("Test", LanguageNames.CSharp)
            .WithCompilationOptions(new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary,
                                                                 nullableContextOptions: NullableContextOptions.Enable))
            .WithParseOptions(new CSharpParseOptions(LanguageVersion.Latest))
            .AddMetadataReferences(References);
        return project.AddDocument("Aliases.cs", Aliases(maps, sync)).Project.AddDocument("Test.cs", source);
    }

    // Diagnostics of ours, as "ID text of the line's part", after a compilation without errors.
    private static async Task<ImmutableArray<Diagnostic>> Diagnose(Document document, bool maps, bool asked = true)
    {
        Compilation compilation = (await document.Project.GetCompilationAsync())!;
        Assert.Empty(compilation.GetDiagnostics().Where(one => one.Severity == DiagnosticSeverity.Error));
        var options = new CompilationWithAnalyzersOptions(
            new AnalyzerOptions([], new Settings(maps, asked)),
            (error, _, _) => throw new InvalidOperationException("the analyzer failed", error), true, false);
        ImmutableArray<Diagnostic> found = await new CompilationWithAnalyzers(
            compilation, [new SystemTypesAnalyzer()], options).GetAnalyzerDiagnosticsAsync();
        return [.. found.OrderBy(one => one.Location.SourceSpan.Start)];
    }

    private static string Show(Diagnostic one) =>
        $"{one.Id} {one.Location.SourceTree!.GetText().ToString(one.Location.SourceSpan)}";

    // Marks [|...|] are where a diagnostic is expected. After its fix nothing is left of it, and the file compiles.
    private static async Task Expect(string id, string marked, bool maps = true, bool sync = false)
    {
        string source = marked.Replace("[|", "", StringComparison.Ordinal).Replace("|]", "", StringComparison.Ordinal);
        string[] expected = Regex.Matches(marked, @"\[\|(.*?)\|\]").Select(one => $"{id} {one.Groups[1].Value}").ToArray();
        Document document = NewDocument(source, maps, sync);

        ImmutableArray<Diagnostic> found = await Diagnose(document, maps);
        Assert.Equal(expected, found.Select(Show));
        if (found.IsEmpty)
            return;
        Assert.All(found, one => Assert.Equal(DiagnosticSeverity.Warning, one.Severity));
        Document changed = await Fix(document, found[0]);
        Assert.Empty((await Diagnose(changed, maps)).Select(Show));
        string text = (await changed.GetTextAsync()).ToString();
        Assert.NotEqual(source, text);
        // Fixing all of them is the same.
        Assert.Equal(text, (await (await FixAll(document, found)).GetTextAsync()).ToString());
    }

    private static async Task<Document> Fix(Document document, Diagnostic diagnostic)
    {
        CodeAction? action = null;
        await new UseMmf().RegisterCodeFixesAsync(
            new CodeFixContext(document, diagnostic, (one, _) => action = one, CancellationToken.None));
        return await Apply(document, action!);
    }

    private static async Task<Document> Apply(Document document, CodeAction action)
    {
        var operation = (ApplyChangesOperation)Assert.Single(await action.GetOperationsAsync(CancellationToken.None));
        return operation.ChangedSolution.GetDocument(document.Id)!;
    }

    private sealed class Found(ImmutableArray<Diagnostic> found) : FixAllContext.DiagnosticProvider
    {
        public override Task<IEnumerable<Diagnostic>> GetAllDiagnosticsAsync(Project project, CancellationToken cancel) =>
            Task.FromResult<IEnumerable<Diagnostic>>(found);
        public override Task<IEnumerable<Diagnostic>> GetDocumentDiagnosticsAsync(Document document, CancellationToken cancel) =>
            Task.FromResult<IEnumerable<Diagnostic>>(found);
        public override Task<IEnumerable<Diagnostic>> GetProjectDiagnosticsAsync(Project project, CancellationToken cancel) =>
            Task.FromResult<IEnumerable<Diagnostic>>([]);
    }

    private static async Task<Document> FixAll(Document document, ImmutableArray<Diagnostic> found)
    {
        var fix = new UseMmf();
        var context = new FixAllContext(document, fix, FixAllScope.Document, found[0].Id, [found[0].Id],
                                        new Found(found), CancellationToken.None);
        return await Apply(document, (await fix.GetFixAllProvider().GetFixAsync(context))!);
    }

    private const string Body = """
        class C
        {
            static void M()
            {
                using var map = MemoryMappedFile.CreateNew("Cat", 10000);
                using MemoryMappedViewAccessor view = map.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
            }
        }
        """;

    private const string MarkedBody = """
        class C
        {
            static void M()
            {
                using var map = [|MemoryMappedFile|].CreateNew("Cat", 10000);
                using [|MemoryMappedViewAccessor|] view = map.CreateViewAccessor(0, 0, [|MemoryMappedFileAccess|].Read);
            }
        }
        """;

    [Theory]
    [InlineData("using System.IO.MemoryMappedFiles;\n" + Body)]
    [InlineData("using System.IO.MemoryMappedFiles;\nnamespace N {\n" + Body + "}")]
    [InlineData("using System.IO.MemoryMappedFiles;\nnamespace N;\n" + Body)]
    public Task A_using_outside_means_mmf(string source) => Expect("MMF001", source);

    [Theory]
    [InlineData("namespace N {\nusing System.IO.MemoryMappedFiles;\n" + MarkedBody + "}")]
    [InlineData("namespace N;\nusing System.IO.MemoryMappedFiles;\n" + MarkedBody)]
    [InlineData("namespace A.B { using System.IO.MemoryMappedFiles; namespace C {\n" + MarkedBody + "} }")]
    // A namespace of the project that is called as ours.
    [InlineData("namespace N.Mmf { class X { } }\nnamespace N {\nusing System.IO.MemoryMappedFiles;\n" + MarkedBody + "}")]
    // Inside System nothing of an alias is left.
    [InlineData("namespace System.IO.MemoryMappedFiles {\n" + MarkedBody + "}")]
    public Task A_using_inside_a_namespace_is_found(string source) => Expect("MMF001", source);

    [Fact]
    public Task A_name_in_full_is_found() => Expect("MMF001", """
        class C
        {
            System.IO.MemoryMappedFiles.[|MemoryMappedFile|]? map;
            global::System.IO.MemoryMappedFiles.[|MemoryMappedFileRights|] rights;
            static object M() => System.IO.MemoryMappedFiles.[|MemoryMappedFile|].OpenExisting("Cat");
            static string T() => typeof(System.IO.MemoryMappedFiles.[|MemoryMappedViewStream|]).Name
                + nameof(System.IO.MemoryMappedFiles.[|MemoryMappedFile|]);
            static bool Is(object o) => o is Microsoft.Win32.SafeHandles.[|SafeMemoryMappedFileHandle|]
                || o is System.Collections.Generic.List<System.IO.MemoryMappedFiles.[|MemoryMappedFile|]>;
            static void Out(out System.IO.MemoryMappedFiles.[|MemoryMappedFile|]? map) => map = null;
        }
        """);

    // The file says itself which it means.
    [Fact]
    public Task An_alias_of_the_file_is_meant() => Expect("MMF001", """
        namespace N
        {
            using Map = System.IO.MemoryMappedFiles.MemoryMappedFile;
            class C
            {
                static object M() => Map.CreateNew("Cat", 10000);
            }
        }
        """);

    [Fact]
    public async Task A_project_that_depends_on_the_one_with_the_package_is_left_alone()
    {
        const string source = "namespace N {\nusing System.IO.MemoryMappedFiles;\n" + Body + "}";
        Assert.Empty(await Diagnose(NewDocument(source, maps: false, sync: false), maps: true, asked: false));
    }

    [Fact]
    public Task Without_the_aliases_dotnets_maps_are_meant() =>
        Expect("MMF001", "using System.IO.MemoryMappedFiles;\n" + Body, maps: false);

    [Fact]
    public Task Of_sync_objects_only_those_with_names_are_found() => Expect("MMF002", """
        using System.Threading;
        class C
        {
            private readonly Mutex unnamed = new();
            static void M(string name, string? none)
            {
                using var mutex = [|new Mutex(false, "Cat lock")|];
                using Mutex typed = [|new(true, name, out bool created)|];
                using var late = [|new EventWaitHandle(false, EventResetMode.AutoReset, none)|];
                using var semaphore = [|new Semaphore(0, 1, name: "S")|];
                using var full = [|new System.Threading.Mutex(false, "full")|];
                using WaitHandle opened = [|Mutex.OpenExisting("Cat lock")|];
                if ([|Semaphore.TryOpenExisting(name, out Semaphore? found)|])
                    found.Release();
                using var a = new Mutex(false, null);
                using var b = new Semaphore(0, 1, "");
                using var c = new EventWaitHandle(false, EventResetMode.ManualReset);
                using var d = new AutoResetEvent(false);
                using var e = new CancellationTokenSource();
            }
        }
        """);

    [Fact]
    public Task With_the_aliases_of_sync_a_name_is_mmfs() => Expect("MMF002", """
        using System.Threading;
        class C
        {
            static object M() => new Mutex(false, "Cat lock");
        }
        """, sync: true);

    [Fact]
    public Task A_using_inside_a_namespace_is_found_for_sync() => Expect("MMF002", """
        namespace N
        {
            using System.Threading;
            class C
            {
                static readonly Mutex mutex = [|new(false, "Cat lock")|];
                static bool M() => WaitHandle.WaitAny(new WaitHandle[] { mutex }) == 0;
            }
        }
        """, sync: true);

    [Fact]
    public Task A_class_derived_from_dotnets_is_not_ours() => Expect("MMF002", """
        using System.Threading;
        class Named : EventWaitHandle
        {
            public Named(string name) : base(false, EventResetMode.AutoReset) { }
            static object M() => new Named("x");
        }
        """);
}
