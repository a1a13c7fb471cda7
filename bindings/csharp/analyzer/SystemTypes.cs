// Which of .NET's types have a type of the same name in mmf, and where a source names them.
using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Mmf.Analyzers;

internal static class SystemTypes
{
    private const string Maps = "System.IO.MemoryMappedFiles.", Handles = "Microsoft.Win32.SafeHandles.",
        Threading = "System.Threading.";

    internal static readonly ImmutableHashSet<string> OfMaps = ImmutableHashSet.Create(
        Maps + "MemoryMappedFile", Maps + "MemoryMappedFileAccess", Maps + "MemoryMappedFileOptions",
        Maps + "MemoryMappedFileRights", Maps + "MemoryMappedViewAccessor", Maps + "MemoryMappedViewStream",
        Handles + "SafeMemoryMappedFileHandle", Handles + "SafeMemoryMappedViewHandle");

    internal static readonly ImmutableHashSet<string> OfSync = ImmutableHashSet.Create(
        Threading + "WaitHandle", Threading + "Mutex", Threading + "EventWaitHandle",
        Threading + "AutoResetEvent", Threading + "ManualResetEvent", Threading + "Semaphore",
        Threading + "AbandonedMutexException", Handles + "SafeWaitHandle");

    /// <summary>The type's full name, if it is one of these.</summary>
    internal static string? Find(ISymbol? symbol, ImmutableHashSet<string> types)
    {
        if (symbol is IMethodSymbol { MethodKind: MethodKind.Constructor } constructor)
            symbol = constructor.ContainingType; // of an attribute or a target-typed new
        if (symbol is not INamedTypeSymbol { ContainingType: null } type)
            return null;
        string name = type.ContainingNamespace.ToDisplayString() + "." + type.Name;
        return types.Contains(name) ? name : null;
    }

    /// <summary>The name with all that qualifies it: `System.Threading.Mutex` of `Mutex`.</summary>
    internal static NameSyntax Whole(SimpleNameSyntax name) => name.Parent switch
    {
        QualifiedNameSyntax qualified when qualified.Right == name => qualified,
        AliasQualifiedNameSyntax aliased when aliased.Name == name => aliased,
        _ => name,
    };

    /// <summary>Whether the name is part of a directive, which only says what names mean.</summary>
    internal static bool IsInUsing(SyntaxNode name) =>
        name.FirstAncestorOrSelf<UsingDirectiveSyntax>() != null;
}
